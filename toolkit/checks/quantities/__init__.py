"""The quantities, a file a family."""
