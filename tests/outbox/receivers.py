"""Real servers on real sockets that receive what leaves the house, and misbehave when told to."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

OK = "200"
Behaviour = str
"""A status such as "500"; "hang", "reset", "drip", "garbage", or "late" (200 after ``Receiver.late`` seconds)."""


@dataclass
class Request:
    """What came."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that answers as ``plan`` says, one entry for each request, then with ``then``."""

    plan: list[Behaviour] = field(default_factory=list)
    then: Behaviour = OK
    late: float = 0.3
    body: bytes = b""
    headers: str = ""
    came: list[Request] = field(default_factory=list)
    port: int = 0
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.came]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.came.append(Request(head[0], headers, body))
            await self._act(self.plan.pop(0) if self.plan else self.then, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _act(self, behaviour: Behaviour, writer: asyncio.StreamWriter) -> None:
        if behaviour == "hang":
            await asyncio.sleep(60)
        elif behaviour == "reset":
            linger = struct.pack("ii", 1, 0)  # close() then sends RST
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif behaviour == "garbage":
            writer.write(b"what is this\r\n\r\n")
        elif behaviour == "drip":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        else:
            if behaviour == "late":
                await asyncio.sleep(self.late)
                behaviour = OK
            head = f"HTTP/1.1 {behaviour} Whatever\r\nContent-Length: {len(self.body)}\r\n{self.headers}\r\n"
            writer.write(head.encode() + self.body)
            await writer.drain()


@asynccontextmanager
async def receiving(*plan: Behaviour, tls: ssl.SSLContext | None = None, **more: Any) -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver(list(plan), **more)
    open_now: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(receiver.answer(reader, writer))
        open_now.add(task)
        await asyncio.wait({task})

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)


class Mailbox:
    """An SMTP handler that keeps what comes; ``rcpt`` and ``data`` are answers to give first, one each time."""

    def __init__(self, *, rcpt: tuple[str, ...] = (), data: tuple[str, ...] = ()) -> None:
        self.rcpt, self.data = list(rcpt), list(data)
        self.came: list[EmailMessage] = []
        self.to: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.rcpt:
            return self.rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.data:
            answer = self.data.pop(0)
            if answer == "lost":
                server.transport.abort()
                return "421 gone"
            return answer
        self.to += envelope.rcpt_tos
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.came.append(message)
        return "250 OK"


@asynccontextmanager
async def post_office(mailbox: Mailbox, **more: Any) -> AsyncIterator[str]:
    """A real SMTP server in a thread; gives its URL."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **more)
    await asyncio.to_thread(controller.start)
    try:
        yield f"smtp://127.0.0.1:{controller.port}?starttls=0"
    finally:
        await asyncio.to_thread(controller.stop)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
