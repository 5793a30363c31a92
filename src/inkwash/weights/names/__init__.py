"""What one tensor is called here and there: tables and small functions, no tensors."""
