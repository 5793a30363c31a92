"""Forward diffusion: a drop of ink spreads until nothing of its shape is left."""
