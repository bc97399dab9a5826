"""The link in a mail that leads back into the same conversation: signed, and over after a while.

The token stands in the address' fragment, which browsers send to no server, so that it is in no log.
"""

from datetime import timedelta
from urllib.parse import quote

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from conversations.conversation import Conversation

LINK_LASTS = timedelta(days=14)


class LinkOver(Exception):
    """The link is over or not ours; the message is meant for people."""

    def __init__(self) -> None:
        super().__init__("This link is over. The chat is still here: begin a new conversation.")


class Links:
    """Signs links and reads them."""

    def __init__(self, key: str, base_url: str) -> None:
        self._signer = URLSafeTimedSerializer(key, salt="mail-link")
        self._base_url = base_url.rstrip("/")

    def back_to(self, conversation: Conversation) -> str:
        """The address that opens this conversation."""
        token = self._signer.dumps(conversation.id)
        return f"{self._base_url}/chat/?shop={quote(conversation.shop_id)}#back={token}"

    def at_desk(self, conversation_id: str) -> str:
        """Where an agent finds it; good only for who is logged in."""
        return f"{self._base_url}/console/?chat={conversation_id}"

    def conversation_of(self, token: str) -> str:
        """The conversation a link leads to. Raises LinkOver."""
        try:
            return str(self._signer.loads(token, max_age=int(LINK_LASTS.total_seconds())))
        except (SignatureExpired, BadSignature):
            raise LinkOver() from None
