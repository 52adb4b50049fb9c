"""IDs in."""
