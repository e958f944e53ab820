"""Recorded logs → what each line says: when, of which process, about which request."""
