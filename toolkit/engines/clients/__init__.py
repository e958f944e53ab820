"""The engine `clients`: a Python function or pytest tests, repeated by so many clients at once."""
