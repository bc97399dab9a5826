"""The desk: who waits in which order and how long, who takes what, and whose turn it is to have an easy one.

Pure functions, used by the service and by its simulation (``python -m eval desk``) alike; ``people`` holds the
few statements about who is there.
"""

from handoff.desk.assignment import Agent, Waiting, assign, next_for
from handoff.desk.load import HEAVY, Stint, load_of, pause_reason, streak_of
from handoff.desk.order import AGEING, CLOSED_AGES, DANGER_FIRST, URGENCY, place_of, queue_rank, urgency_of
from handoff.desk.people import ONLINE_FOR, VANISHED_AFTER, Availability, agents_online, presence, seen
from handoff.desk.waits import SHORTEST_WAIT, USUAL_HANDLING, Pace, Wait, wait_of

__all__ = [
    "AGEING", "CLOSED_AGES", "DANGER_FIRST", "HEAVY", "ONLINE_FOR", "SHORTEST_WAIT", "URGENCY", "USUAL_HANDLING",
    "VANISHED_AFTER", "Agent", "Availability", "Pace", "Stint", "Wait", "Waiting", "agents_online", "assign",
    "load_of", "next_for", "pause_reason", "place_of", "presence", "queue_rank", "seen", "streak_of", "urgency_of",
    "wait_of",
]  # fmt: skip
