"""A small shop of three services (stock, payment, order), each with a database of its own, behind a gateway."""
