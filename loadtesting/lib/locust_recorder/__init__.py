"""Our recorder inside a Locust process (locust_start.py): a line for each request, and what the process said of itself."""
