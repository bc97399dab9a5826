"""Who owns a conversation, what may happen next, and who may speak: pure tables."""

from enum import StrEnum

from conversations.errors import IllegalTransition, MayNotSpeak


class Status(StrEnum):
    """Who owns the conversation."""

    BOT = "bot"
    WAITING = "waiting"
    WITH_AGENT = "with_agent"
    RESOLVED = "resolved"


class Verb(StrEnum):
    """What can be done to a conversation that may change its status."""

    REQUEST_HANDOFF = "request_handoff"
    TAKE = "take"
    RELEASE = "release"
    TRANSFER = "transfer"
    RETURN_TO_QUEUE = "return_to_queue"
    RETURN_TO_BOT = "return_to_bot"
    RESOLVE = "resolve"
    CUSTOMER_WRITES = "customer_writes"


class Author(StrEnum):
    """Who wrote a message. An agent is a person, the bot a machine."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class Visibility(StrEnum):
    """Who may read a message; an internal one is a note."""

    PUBLIC = "public"
    INTERNAL = "internal"


TRANSITIONS: dict[tuple[Status, Verb], Status] = {
    (Status.BOT, Verb.REQUEST_HANDOFF): Status.WAITING,
    (Status.BOT, Verb.TAKE): Status.WITH_AGENT,
    (Status.BOT, Verb.RESOLVE): Status.RESOLVED,
    (Status.BOT, Verb.CUSTOMER_WRITES): Status.BOT,
    (Status.WAITING, Verb.TAKE): Status.WITH_AGENT,
    (Status.WAITING, Verb.RETURN_TO_BOT): Status.BOT,
    (Status.WAITING, Verb.RESOLVE): Status.RESOLVED,
    (Status.WAITING, Verb.CUSTOMER_WRITES): Status.WAITING,
    (Status.WAITING, Verb.RETURN_TO_QUEUE): Status.WAITING,
    (Status.WITH_AGENT, Verb.RELEASE): Status.WAITING,
    (Status.WITH_AGENT, Verb.TRANSFER): Status.WAITING,
    (Status.WITH_AGENT, Verb.RETURN_TO_QUEUE): Status.WAITING,
    (Status.WITH_AGENT, Verb.RETURN_TO_BOT): Status.BOT,
    (Status.WITH_AGENT, Verb.RESOLVE): Status.RESOLVED,
    (Status.WITH_AGENT, Verb.CUSTOMER_WRITES): Status.WITH_AGENT,
    (Status.RESOLVED, Verb.CUSTOMER_WRITES): Status.BOT,
}
"""Every move that exists; a pair that is missing is illegal."""

MAY_SPEAK: dict[Status, frozenset[Author]] = {
    Status.BOT: frozenset({Author.BOT, Author.CUSTOMER, Author.SYSTEM}),
    Status.WAITING: frozenset({Author.CUSTOMER, Author.SYSTEM}),
    Status.WITH_AGENT: frozenset({Author.AGENT, Author.CUSTOMER, Author.SYSTEM}),
    Status.RESOLVED: frozenset({Author.CUSTOMER, Author.SYSTEM}),
}
"""Who may add a public message; of the agents, only the assignee."""


def next_status(current: Status, verb: Verb) -> Status:
    """Where ``verb`` leads from ``current``, or IllegalTransition."""
    try:
        return TRANSITIONS[current, verb]
    except KeyError:
        raise IllegalTransition(current, verb) from None


def check_may_speak(current: Status, author: Author) -> None:
    """Raise MayNotSpeak unless ``author`` may add a public message now."""
    if author not in MAY_SPEAK[current]:
        raise MayNotSpeak(current, author)
