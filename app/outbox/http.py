"""HTTP out: the only module that speaks it. One POST to an address that strangers may have chosen.

The name is resolved once and the connection goes to the address that was checked, so that a name cannot point
elsewhere a moment later; redirects are never followed, the environment's proxies are not used, and no connection is
kept, because two names may share an address and not a certificate.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

import httpx

from app.outbox.errors import BadEndpoint, Failed

PREFIX = 200
"""Bytes of an answer's body that are looked at."""
LONGEST_ASKED = timedelta(hours=12)
"""Of what Retry-After asks for, this much is granted."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the beginning of what a refusal says, and how long we were asked to wait."""

    status: int
    text: str
    wait: timedelta | None


def check_url(url: str, *, allow_private: bool) -> SplitResult:
    """The parts of an address that may be called. Raises BadEndpoint saying what is wrong with it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        raise BadEndpoint("This is not a web address.") from error
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes or not host:
        raise BadEndpoint("The address must begin with https:// and name a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadEndpoint("The address must not hold a user name, a password or a fragment.")
    with contextlib.suppress(ValueError):
        if not allow_private and not is_public(host):
            raise BadEndpoint("This is an address inside a private network, which is not called.")
    return parts


def is_public(address: str) -> bool:
    """Whether an IP address lies in the open internet. Raises ValueError when it is no IP address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


class Poster:
    """Sends one POST at a time to each caller. ``timeout`` in seconds is for the whole of it, from name to answer."""

    def __init__(self, timeout: float, *, allow_private: bool = False, verify: ssl.SSLContext | bool = True) -> None:
        self._timeout, self._allow_private, self._verify = timeout, allow_private, verify
        self._client: httpx.AsyncClient | None = None
        self._making = asyncio.Lock()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """The answer, whatever its status. Raises Failed when none came or the address may not be called."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(url, body, headers)
        except TimeoutError as error:
            raise Failed(f"No answer within {self._timeout:g} seconds.", no_answer=True) from error
        except BadEndpoint as error:
            raise Failed(str(error)) from error
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            said = f": {error}" if str(error) else ""
            raise Failed(f"No answer ({type(error).__name__}{said}).", no_answer=True) from error

    async def close(self) -> None:
        """Give everything back."""
        if self._client:
            await self._client.aclose()

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        parts = check_url(url, allow_private=self._allow_private)
        target = httpx.URL(url)
        host = target.raw_host.decode("ascii").strip("[]")
        address = await self._resolve(host, parts.port or _usual(parts.scheme))
        client = await self._ready()
        async with client.stream(
            "POST",
            target.copy_with(host=address),
            content=body,
            headers={"Host": target.netloc.decode("ascii"), "Accept-Encoding": "identity", **headers},
            extensions={"sni_hostname": host},  # the certificate must be the name's, not the address'
        ) as response:
            said = "" if response.is_success else await _beginning(response)
            return Answer(response.status_code, said, _asked_to_wait(response))

    async def _resolve(self, host: str, port: int) -> str:
        """One address for the name, after all of them were found to be allowed."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise Failed("The name in the address cannot be found.", no_answer=True) from error
        addresses = [str(entry[4][0]) for entry in found]
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise Failed("The address leads into a private network, which is not called.")
        return addresses[0]

    async def _ready(self) -> httpx.AsyncClient:
        async with self._making:
            if self._client is None:  # reads the certificates of authorities from disk
                self._client = await asyncio.to_thread(self._make)
            return self._client

    def _make(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.AsyncClient(
            verify=self._verify, trust_env=False, follow_redirects=False, timeout=self._timeout, limits=limits
        )


def _usual(scheme: str) -> int:
    return 443 if scheme == "https" else 80


async def _beginning(response: httpx.Response) -> str:
    """Raw bytes, so that a small answer cannot swell; what follows is not read."""
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= PREFIX:
            break
    return body[:PREFIX].decode("utf-8", "replace")


def _asked_to_wait(response: httpx.Response) -> timedelta | None:
    seconds = response.headers.get("retry-after", "")
    return min(timedelta(seconds=int(seconds)), LONGEST_ASKED) if seconds.isdecimal() and len(seconds) < 9 else None
