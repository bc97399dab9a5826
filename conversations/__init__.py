"""The domain: what a conversation is and may do. No web, no machine learning, no settings."""
