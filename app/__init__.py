"""The service: web, worker, wiring."""
