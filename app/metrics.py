"""What is counted, for ``/metrics``. Never a message, a name or an address."""

from prometheus_client import Counter, Histogram

TURNS = Counter("warmline_turns", "Bot turns by what was done", ["act"])
TURN_SECONDS = Histogram(
    "warmline_turn_seconds", "Claim to commit of one bot turn", buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5)
)
MESSAGES = Counter("warmline_messages", "Messages by author", ["author"])
DELIVERIES = Counter("warmline_deliveries", "Attempts to deliver by way and what came of them", ["channel", "status"])
