"""Whether the numbers of a run can be trusted: what was asked of the generator, what it did, and what each part cost."""
