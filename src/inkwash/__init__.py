"""inkwash: a whole Stable Diffusion system to train, run, look inside and serve on an ordinary computer."""

__version__ = "0.1.0"
