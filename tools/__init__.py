"""What the makers of inkwash use."""
