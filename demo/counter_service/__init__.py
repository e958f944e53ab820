"""Scheduling software for service counters: the bundled service that the toolkit's demo loads and profiles."""
