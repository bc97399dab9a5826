"""The truth, offline: ``python -m eval``. Measures the reader, the matcher and the bot; filters anyone's own data."""
