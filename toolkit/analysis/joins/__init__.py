"""Which lines of a server's logs belong to which request of the load, and what they explain."""
