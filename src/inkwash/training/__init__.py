"""Teaching the networks."""
