"""What to run against which servers: the plan file, checked as a whole before anything starts."""
