"""What must hold of a service's data after many actions at once: a small grammar, and the judgement of what was recorded."""
