from locust import FastHttpUser, constant, task


class Steady(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def slow(self):
        self.client.get("/slow?s=0.1", name="slow")
