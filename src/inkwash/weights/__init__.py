"""Files in, models out."""
