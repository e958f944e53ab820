"""One file a command: options to a plan, the plan to a run or a report, the result to a person."""
