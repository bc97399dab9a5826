"""HTTP: thin endpoints that load, authorise, call a verb and return."""
