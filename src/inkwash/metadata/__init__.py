"""What pictures say of how they were painted: our record, and the texts of other programs, both ways."""
