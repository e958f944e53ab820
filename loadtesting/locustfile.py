"""Clerks (CSR) of the bundled service as Locust users; `locust -f loadtesting/locustfile.py` plays this as well."""

from __future__ import annotations

import random
from datetime import date, timedelta

from locust import HttpUser, between, task

SLOTS = [f"{hour:02}:{minute:02}" for hour in range(8, 16) for minute in (0, 30)]


def some_day() -> str:
    """One of the next hundred days."""
    return (date.today() + timedelta(days=random.randrange(100))).isoformat()


class Clerk(HttpUser):
    """Logs in, looks, and now and then makes an appointment and takes it back."""

    wait_time = between(0.2, 0.8)

    def on_start(self) -> None:
        """Each user is one of the service's 200 clerks."""
        user = f"csr{random.randint(1, 200)}"
        with self.client.post(
            "/api/login", json={"user": user, "password": "demo"}, catch_response=True
        ) as response:
            token = response.json().get("token") if response.ok else None
            if token is None:
                response.failure("no token")
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task(4)
    def look(self) -> None:
        """What a clerk's front page asks for."""
        self.client.get("/api/hours")
        self.client.get("/api/counters")
        self.client.get(f"/api/appointments?day={some_day()}", name="/api/appointments")

    @task(2)
    def search(self) -> None:
        """The slow one: the service computes here."""
        self.client.get(f"/api/availability?day={some_day()}", name="/api/availability")

    @task(1)
    def book_and_cancel(self) -> None:
        """An appointment that is taken back at once."""
        wanted = {
            "citizen": "B. Brandt",
            "service": "passport",
            "day": some_day(),
            "slot": random.choice(SLOTS),
        }
        made = self.client.post("/api/appointments", json=wanted)
        if made.ok:
            self.client.delete(f"/api/appointments/{made.json()['id']}", name="/api/appointments/[id]")
