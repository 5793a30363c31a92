"""Measuring what a model paints: closeness to photographs, obedience to words, reconstruction, memorisation."""
