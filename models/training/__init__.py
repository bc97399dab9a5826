"""How the shipped weights are made: ``python -m models.training``. Needs the ``train`` extra."""
