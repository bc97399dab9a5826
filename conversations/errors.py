"""What can go wrong with a conversation.

ConversationError
├── NotFound               no such conversation
├── BadMessage             the text itself cannot be taken (empty, too long)
├── ConflictError
│   ├── IllegalTransition  the verb does not exist in this status
│   ├── MayNotSpeak        this author may not speak in this status
│   ├── AlreadyTaken       another agent has it
│   ├── NotAssignee        only the assignee may do this
│   ├── NotOffered         it is not, or no longer, offered to this agent
│   ├── NotAtDesk          the colleague it should go to is not there
│   ├── MessageIdReused    the same client_message_id with another text
│   └── Stale              the conversation changed since it was read
"""


class ConversationError(Exception):
    """Base of everything a conversation may refuse. The message is meant for people."""


class NotFound(ConversationError):
    """There is no such conversation."""

    def __init__(self, conversation_id: str) -> None:
        super().__init__("There is no such conversation.")
        self.conversation_id = conversation_id


class BadMessage(ConversationError):
    """The text cannot be taken as a message."""


class ConflictError(ConversationError):
    """What was asked does not fit what is true now."""


class IllegalTransition(ConflictError):
    """The verb does not exist in this status."""

    def __init__(self, current: str, verb: str) -> None:
        super().__init__(f"A conversation that is '{current}' cannot '{verb}'. Reload to see what is true now.")
        self.current, self.verb = current, verb


class MayNotSpeak(ConflictError):
    """This author may not speak in this status."""

    def __init__(self, current: str, author: str) -> None:
        super().__init__(f"The {author} may not write while the conversation is '{current}'.")
        self.current, self.author = current, author


class AlreadyTaken(ConflictError):
    """Another agent has the conversation."""

    def __init__(self, assignee_id: str) -> None:
        super().__init__("Another agent has already taken this conversation.")
        self.assignee_id = assignee_id
        self.assignee_name: str | None = None

    def name_assignee(self, name: str | None) -> None:
        """Say who has it."""
        if name:
            self.assignee_name, self.args = name, (f"This conversation was already taken by {name}.",)


class NotAssignee(ConflictError):
    """Only the agent who has the conversation may do this."""

    def __init__(self) -> None:
        super().__init__("Only the agent who has this conversation may do that. Take it first.")


class NotOffered(ConflictError):
    """The conversation is not, or no longer, offered to this agent."""

    def __init__(self) -> None:
        super().__init__("This conversation is no longer offered to you; it has moved on.")


class NotAtDesk(ConflictError):
    """A transfer names a colleague who takes no chats now."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not at the desk now. Choose someone else, a skill, or release it.")


class MessageIdReused(ConflictError):
    """A client_message_id came again with another text."""

    def __init__(self, client_message_id: str) -> None:
        super().__init__("This client_message_id was already used for another text. Send with a fresh id.")
        self.client_message_id = client_message_id


class Stale(ConflictError):
    """The conversation changed since it was read."""

    def __init__(self) -> None:
        super().__init__("The conversation has changed since it was read. Reload and try again.")
