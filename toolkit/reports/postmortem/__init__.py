"""postmortem.md: what happened in a run, as far as its data shows it."""
