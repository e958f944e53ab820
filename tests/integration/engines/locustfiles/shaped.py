from locust import FastHttpUser, LoadTestShape, constant_pacing, task


class Shaped(FastHttpUser):
    wait_time = constant_pacing(0.2)

    @task
    def one(self):
        self.client.get("/items/one")


class TwoSteps(LoadTestShape):
    def tick(self):
        run_time = self.get_run_time()
        if run_time < 2:
            return (2, 10)
        return (5, 10) if run_time < 4 else None
