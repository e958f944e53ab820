"""What a run was made to show: a section for each kind of load."""
