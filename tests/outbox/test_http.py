"""What may be called: nothing inside a private network, by whatever name, and only whom the certificate names."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.outbox.errors import BadEndpoint, Failed
from app.outbox.http import Poster, check_url, is_public
from tests.outbox.receivers import receiving

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "::1", "::", "fc00::1", "fe80::1", "fe80::1%eth0", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_known_in_every_disguise(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "ftp://a.example/", "http://a.example/", "https://", "https:///x", "https://u:p@a.example/",
     "https://u@a.example/", "https://a.example/#x", "https://a.example:99999/", "https://127.0.0.1/",
     "https://[::1]/", "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/", "https://a b.example/\x00",
     "file:///etc/passwd", "https://[::1"],
)  # fmt: skip
def test_what_is_no_address_for_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(BadEndpoint):
        check_url(url, allow_private=False)


@pytest.mark.parametrize("url", ["https://a.example/", "https://a.example:8443/x?y=z", "https://bücher.example/"])
def test_addresses_that_may_be_called(url: str) -> None:
    assert check_url(url, allow_private=False).scheme == "https"


async def post(poster: Poster, url: str) -> int:
    try:
        return (await poster.post(url, b"{}", {})).status
    finally:
        await poster.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1"])
async def test_a_private_address_is_not_connected_to(name: str) -> None:
    async with receiving() as receiver:
        with pytest.raises(Failed, match=r"private network|cannot be found|not called"):
            await post(Poster(5), f"https://{name}:{receiver.port}/")
        assert receiver.connections == 0


Answer = Callable[..., Any]


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """From now on every name leads to these addresses; gives the names that were asked for."""
    asked: list[str] = []

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


async def test_a_name_with_one_private_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as receiver:
        resolving(monkeypatch, "93.184.216.34", "127.0.0.1")
        with pytest.raises(Failed, match="private network"):
            await post(Poster(5), f"https://shop.example:{receiver.port}/")
        assert receiver.connections == 0


async def test_the_name_is_resolved_once_and_that_address_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as receiver:
        asked = resolving(monkeypatch, "127.0.0.1")
        assert await post(Poster(5, allow_private=True), f"http://hooks.shop.example:{receiver.port}/a?b=c") == 200
        # asyncio looks an address up once more, which asks nobody
        assert asked.count("hooks.shop.example") == 1
        assert set(asked) <= {"hooks.shop.example", "127.0.0.1"}
        (request,) = receiver.came
        assert request.line == "POST /a?b=c HTTP/1.1"
        assert request.headers["host"] == f"hooks.shop.example:{receiver.port}"


async def test_a_name_that_nobody_knows_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(Failed, match="cannot be found"):
        await post(Poster(5), "https://nobody.example/")


async def test_the_environments_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await post(Poster(5, allow_private=True), receiver.url) == 200
        assert proxy.connections == 0


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate for hooks.shop.example, and a client that trusts its maker."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("needs the openssl command to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hooks.shop.example",
         "-addext", "subjectAltName=DNS:hooks.shop.example", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


async def test_over_tls_the_certificate_must_be_the_names(
    certified: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = certified
    async with receiving(tls=server) as receiver:
        resolving(monkeypatch, "127.0.0.1")
        where = f"https://hooks.shop.example:{receiver.port}/"
        assert await post(Poster(5, allow_private=True, verify=client), where) == 200
        for poster, url in (
            (Poster(5, allow_private=True, verify=client), where.replace("hooks", "other")),
            (Poster(5, allow_private=True), where),
        ):
            with pytest.raises(Failed, match="CERTIFICATE_VERIFY_FAILED"):
                await post(poster, url)
        assert len(receiver.came) == 1
