"""What several modules here start from."""

from tests.worker_lives import service

__all__ = ["service"]
