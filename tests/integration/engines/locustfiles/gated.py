from locust import HttpUser, constant, events, task


class Gated(HttpUser):
    wait_time = constant(0.1)

    @task
    def one(self):
        self.client.get("/broken")


@events.quitting.add_listener
def judge(environment, **kwargs):
    if environment.stats.total.fail_ratio > 0.01:
        environment.process_exit_code = 3
