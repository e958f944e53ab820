"""What the agents measured of each server and its gunicorn → metrics, worker_events, lanes, and their summary."""
