"""A load generator that costs less than what it measures: raw sockets, one task a customer."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

IDLE = 3.0
"""Seconds after which a kept-alive connection is not trusted: the server closes idle ones."""
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Client:
    """One customer with one kept-alive connection for requests and one for the stream."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._connection: Connection | None = None
        self._used = 0.0
        self._token = ""
        self._sent = 0
        self.id = ""
        self.replied = asyncio.Event()
        self._arrived = asyncio.Event()
        self.seen: dict[str, float] = {}
        """When each of one's own messages came back on the stream, by client_message_id."""

    async def open(self, shop: str) -> None:
        """Begin a conversation."""
        opened = await self.request("POST", "/api/chat/conversations", {"shop": shop})
        self.id, self._token = opened["conversation"]["id"], opened["token"]

    async def send(self, text: str) -> tuple[str, float]:
        """Send one message; its client_message_id and the seconds until it was acknowledged."""
        self._sent += 1
        name = f"load-{self._sent:08d}"
        began = time.perf_counter()
        await self.request(
            "POST", f"/api/chat/conversations/{self.id}/messages", {"text": text, "client_message_id": name}
        )
        return name, time.perf_counter() - began

    async def turn(self, text: str) -> float:
        """Send and wait for the bot's reply on the stream; seconds from sending to the reply."""
        self.replied.clear()
        began = time.perf_counter()
        await self.send(text)
        await asyncio.wait_for(self.replied.wait(), 30)
        return time.perf_counter() - began

    async def came_back(self, name: str) -> float:
        """When the message called ``name`` arrived on the stream."""
        while name not in self.seen:
            self._arrived.clear()
            await self._arrived.wait()
        return self.seen[name]

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Keep the customer's stream open while the block lasts."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def request(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """One JSON request on the kept-alive connection."""
        if self._connection and time.monotonic() - self._used > IDLE:
            self.close()
            self._connection = None
        if self._connection is None:
            self._connection = await asyncio.open_connection(self._host, self._port)
        self._used = time.monotonic()
        reader, writer = self._connection
        writer.write(self._head(method, path, json.dumps(body).encode()))
        status, headers = await _read_head(reader)
        answer = await reader.readexactly(int(headers["content-length"]))
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {answer[:200]!r}")
        return json.loads(answer)

    def close(self) -> None:
        """Hang up."""
        if self._connection:
            self._connection[1].close()

    async def _follow(self) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(self._head("GET", f"/api/chat/conversations/{self.id}/stream?after=2", b""))
        await _read_head(reader)
        try:
            while line := await reader.readline():
                if line.startswith(b'data: {"seq"'):
                    self._on_event(json.loads(line[6:]))
        finally:
            writer.close()

    def _on_event(self, event: dict[str, Any]) -> None:
        message = event.get("message")
        if not message:
            return
        if message["author"] == "customer":
            self.seen[message["client_message_id"]] = time.perf_counter()
            self._arrived.set()
        else:
            self.replied.set()

    def _head(self, method: str, path: str, body: bytes) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}:{self._port}", f"Content-Length: {len(body)}"]
        if body:
            lines.append("Content-Type: application/json")
        if self._token:
            lines.append(f"Authorization: Bearer {self._token}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status = int((await reader.readline()).split()[1])
    headers = {}
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return status, headers
