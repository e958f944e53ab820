"""Tables → findings: named SQL over Parquet, one query a file, and small pure functions. Reads the run folder only."""
