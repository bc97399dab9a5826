"""What can go wrong with what leaves the house.

OutboxError            said to the owner
├── NoSuchEndpoint     no such endpoint
├── NoSuchDelivery     no such delivery
├── BadEndpoint        the address cannot be taken
└── NotReplayable      it is on its way, or its endpoint is disabled

DeliveryError          said by a channel to the loop
├── Failed             this attempt failed
└── NotNeeded          it need not be delivered any more
"""

from datetime import timedelta


class OutboxError(Exception):
    """What was asked cannot be done; the message is meant for people."""


class NoSuchEndpoint(OutboxError):
    """There is no such endpoint."""

    def __init__(self) -> None:
        super().__init__("There is no such endpoint.")


class NoSuchDelivery(OutboxError):
    """There is no such delivery."""

    def __init__(self) -> None:
        super().__init__("There is no such delivery.")


class BadEndpoint(OutboxError):
    """The address cannot be taken."""


class NotReplayable(OutboxError):
    """It cannot be delivered again now."""


class DeliveryError(Exception):
    """Base of what an attempt may end in, other than well. The message is shown to the owner: no message text."""


class Failed(DeliveryError):
    """This attempt failed. ``final``: trying again is of no use. ``no_answer``: whoever should answer did not.

    ``wait``: how long the other side asked us to wait.
    """

    def __init__(
        self, why: str, *, final: bool = False, no_answer: bool = False, wait: timedelta | None = None
    ) -> None:
        super().__init__(why)
        self.final, self.no_answer, self.wait = final, no_answer, wait


class NotNeeded(DeliveryError):
    """It need not be delivered any more."""
