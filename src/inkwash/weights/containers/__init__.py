"""Files of every kind as one thing: tensors by name, read one at a time."""
