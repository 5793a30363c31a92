"""Latent space: pictures in a few numbers, and back."""
