"""Pictures as files and as pixels: read, cut, filled, made into hints, written."""
