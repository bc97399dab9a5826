"""SMTP: the server the settings name, and one message at a time to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from app.outbox.errors import Failed


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in, and from whom it comes."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    tls: bool = False
    """TLS from the first byte (smtps)."""
    starttls: bool | None = None
    """True: demanded; False: never; None: taken when it is offered."""

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"

    async def send(self, message: EmailMessage, timeout: float) -> None:
        """Hand the message in; ``timeout`` in seconds is for the whole of it. Raises Failed.

        A recipient who is refused for good (5xx) ends it; all else may pass, a wrong password included, which
        somebody will mend.
        """
        try:
            async with asyncio.timeout(timeout), self._connected(timeout) as smtp:
                await smtp.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            worst = max(error.recipients, key=lambda refused: refused.code)
            raise Failed(f"The address was refused: {_said(worst)}", final=worst.code >= 500) from error
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
            raise Failed(f"The mail was refused: {_said(error)}", final=error.code >= 500) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise Failed("The mail server cannot deliver to this address (no SMTPUTF8).", final=True) from error
        except TimeoutError as error:
            raise Failed(f"The mail server did not answer within {timeout:g} seconds.", no_answer=True) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Failed(f"The mail server failed ({type(error).__name__}: {error}).", no_answer=True) from error

    async def check(self, timeout: float) -> None:
        """Connect, log in, leave. Raises Failed saying what does not work."""
        try:
            async with asyncio.timeout(timeout), self._connected(timeout) as smtp:
                await smtp.noop()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise Failed(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error

    @asynccontextmanager
    async def _connected(self, timeout: float) -> AsyncIterator[aiosmtplib.SMTP]:
        context = await asyncio.to_thread(ssl.create_default_context)  # reads the authorities' certificates from disk
        async with aiosmtplib.SMTP(
            hostname=self.host, port=self.port, username=self.user, password=self.password, tls_context=context,
            use_tls=self.tls, start_tls=None if self.tls else self.starttls, timeout=timeout,
        ) as smtp:  # fmt: skip
            yield smtp


def mail_server(url: str, sender: str) -> MailServer:
    """From ``smtp://user:password@host:587?starttls=1`` or ``smtps://...``. Raises ValueError saying what is wrong."""
    parts = urlsplit(url)
    wanted = parse_qs(parts.query, keep_blank_values=True)
    starttls = wanted.pop("starttls", [None])[-1]
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError("write smtp://user:password@host:587?starttls=1, or smtps://user:password@host:465")
    if wanted or starttls not in (None, "0", "1"):
        raise ValueError("after the host only ?starttls=1 (demanded) or ?starttls=0 (never) is known")
    tls = parts.scheme == "smtps"
    return MailServer(
        parts.hostname, parts.port or (465 if tls else 587), sender,
        unquote(parts.username) if parts.username else None, unquote(parts.password) if parts.password else None,
        tls, None if starttls is None else starttls == "1",
    )  # fmt: skip


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {error.message}"
