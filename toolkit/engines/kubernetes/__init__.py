"""Locust's master and workers as Kubernetes manifests: values to text, nothing more."""
