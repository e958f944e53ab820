"""How a server is watched: what the agent is given to do, and how what it recorded is read."""
