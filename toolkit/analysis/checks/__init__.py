"""Whether what the plan asked for holds: each check, measured in the tables of a run."""
