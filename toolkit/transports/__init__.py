"""How a host is reached. The only code that touches another machine."""
