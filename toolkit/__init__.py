"""Load a gunicorn service, profile it over SSH while it is under load, keep one bundle for the postmortem."""

__version__ = "0.1.0"
