"""Starts and stops the bundled service and an SSH server before it, on loopback."""
