"""Machine learning: text in, frozen dataclasses out. Knows nothing of conversations, shops or the web."""
