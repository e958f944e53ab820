"""The engine `k6`: HTTP from a plan's requests or from the user's own script, at rates that one core of Node does not reach."""
