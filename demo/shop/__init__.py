"""A small shop of three services (stock, payment, orders), each with a database of its own. Its checkout can be made racy."""
