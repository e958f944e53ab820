"""Findings → bytes: one renderer a file, one line each in the registry."""
