"""The command line: `inkwash paint | train | explain | ...`."""
