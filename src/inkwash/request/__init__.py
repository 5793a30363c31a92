"""What may be asked for: one frozen value, its groups of options, and their limits."""
