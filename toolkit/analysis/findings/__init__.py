"""What the tables of a run say about its service: rules, each of which shows something, rules it out, or cannot tell."""
