"""Mail to customers: an answer they have not seen, or the transcript they asked for. Composed when it is sent."""

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.db import Database
from app.outbox import unseen
from app.outbox.errors import Failed, NotNeeded
from app.outbox.links import Links
from app.outbox.outbox import Delivery
from app.outbox.smtp import MailServer
from app.shop import Shop
from app.shopfront import Shops
from conversations import store
from conversations.conversation import Conversation, Message
from conversations.lifecycle import Author

ANSWER, TRANSCRIPT = "answer", "transcript"
LATEST = 200
"""Messages of a transcript that are mailed; the link shows the rest."""

templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(("html",)), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
TEMPLATES = {name: templates.get_template(name) for name in ("answer.txt", "answer.html", "transcript.txt",
             "transcript.html")}  # fmt: skip


class Mail:
    """Carries out mail deliveries. ``timeout`` in seconds is for one whole hand-over to the server."""

    def __init__(self, db: Database, server: MailServer | None, shops: Shops, links: Links, timeout: float) -> None:
        self._db, self._server, self._shops, self._links, self._timeout = db, server, shops, links, timeout

    async def deliver(self, delivery: Delivery, at: datetime) -> None:
        """One attempt. Raises Failed, or NotNeeded when the customer has seen it in the meantime."""
        if self._server is None:
            raise Failed(
                "No mail server is set. Set WARMLINE_SMTP_URL and WARMLINE_MAIL_FROM, then replay.", final=True
            )
        async with self._db.read() as conn:
            conversation = await store.load(conn, delivery.conversation_id or "")
            messages = await store.transcript(conn, conversation.id, public_only=True)
            seen = await unseen.seen_up_to(conn, conversation.id)
        upto, after = delivery.payload["upto_seq"], delivery.payload.get("after_seq", 0)
        if delivery.kind == ANSWER and seen >= upto:
            raise NotNeeded("The customer has seen it in the chat.")
        if not conversation.customer_email:
            raise NotNeeded("The customer left no address.")
        said = [m for m in messages if m.seq <= upto]
        answers = [m for m in said if m.author is Author.AGENT and m.seq > after]
        shop = self._shops.get(conversation.shop_id).shop
        message = compose(delivery, conversation, said, answers, shop, self._server.sender, self._links)
        await self._server.send(message, self._timeout)


def compose(delivery: Delivery, conversation: Conversation, said: Sequence[Message], answers: Sequence[Message],
            shop: Shop, sender: str, links: Links) -> EmailMessage:  # fmt: skip
    """The mail, plain text with an HTML alternative. Raises Failed when the address cannot be written to."""
    message = EmailMessage(policy=SMTP)
    try:
        given, plain = parseaddr(sender)
        message["From"] = _address(plain, given or shop.name)
        message["To"] = _address(conversation.customer_email or "", conversation.customer_name or "")
        if shop.contact.email:
            message["Reply-To"] = _address(shop.contact.email, shop.name)
    except ValueError as error:
        raise Failed("The address cannot be written to.", final=True) from error
    by = answers[-1].author_name if answers else None
    kind = ANSWER if delivery.kind == ANSWER else TRANSCRIPT
    told = f"{by or 'We'} answered you" if kind == ANSWER else "Your conversation"
    message["Subject"] = _line(f"{told} – {shop.name}")
    message["Date"] = format_datetime(delivery.created_at)
    message["Message-ID"] = f"<{delivery.id}@{_domain(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    values = {
        "shop": shop, "name": conversation.customer_name, "by": by, "link": links.back_to(conversation),
        "answers": [_shown(m, shop) for m in answers], "said": [_shown(m, shop) for m in said[-LATEST:]],
        "left_out": max(0, len(said) - LATEST),
    }  # fmt: skip
    message.set_content(TEMPLATES[f"{kind}.txt"].render(values))
    message.add_alternative(TEMPLATES[f"{kind}.html"].render(values), subtype="html")
    return message


def _shown(message: Message, shop: Shop) -> dict[str, Any]:
    """A message as the templates show it, at the shop's time."""
    who = {
        Author.CUSTOMER: "You", Author.BOT: "Automatic assistant", Author.SYSTEM: shop.name,
        Author.AGENT: message.author_name or shop.name,
    }[message.author]  # fmt: skip
    return {"who": who, "text": message.text, "at": f"{message.at.astimezone(ZoneInfo(shop.timezone)):%d %b %Y, %H:%M}"}


def _address(address: str, name: str) -> Address:
    """Raises ValueError for what is no address. A domain in other letters is written in those of the DNS."""
    user, _, domain = address.rpartition("@")
    if not user or not domain or any(c.isspace() or not c.isprintable() for c in address):
        raise ValueError("not an address")
    return Address(_line(name), username=user, domain=domain.encode("idna").decode("ascii"))


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _line(text: str) -> str:
    """One line, whatever it held: nothing a person wrote may begin another header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
