"""The engine `barrier`: populates a service, releases many actions at the same instant, and reads what state they left."""
