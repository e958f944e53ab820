"""How a table of the service's state is read: by HTTP, by SQL, by a Python function. One file each, and a line in registry.py."""
