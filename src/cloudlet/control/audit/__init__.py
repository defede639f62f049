"""Who did what, in a chain of hashes."""
