"""The language of checks: what can be measured, and how a limit on it is written. Plan, run and analysis share it."""
