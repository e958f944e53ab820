"""Clients that repeat a Python callable or pytest tests: standard library alone, in whatever Python the callable needs."""
