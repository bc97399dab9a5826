"""The README's commands and the Dockerfile's steps, as written, in clean folders with new virtual environments."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parent.parent
PATIENCE = 300.0
CLEAN = {
    k: v for k, v in os.environ.items() if not k.startswith("WARMLINE_") and k not in ("VIRTUAL_ENV", "PYTHONPATH")
}


@pytest.fixture
def clean_tree(tmp_path: Path) -> Path:
    """What git would put into a fresh clone."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    tree = tmp_path / "clone"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    return tree


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def running(command: list[str], cwd: Path, port: int, env: dict[str, str]) -> Iterator[Path]:
    """The command in a process group of its own, once it answers on ``port``; yields the file it prints to."""
    printed = cwd / "printed.txt"
    with printed.open("wb") as out:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(port):
            assert process.poll() is None, printed.read_text()
            assert time.monotonic() < deadline, printed.read_text()
            time.sleep(0.2)
        yield printed
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def chat_once(client: httpx.Client) -> str:
    """Ask something and return the bot's reply."""
    opened = client.post("/api/chat/conversations", json={"shop": "hazel-and-finch"}).raise_for_status().json()
    path = f"/api/chat/conversations/{opened['conversation']['id']}"
    headers = {"Authorization": f"Bearer {opened['token']}"}
    body = {"text": "How do I track my order?", "client_message_id": "install-test-1"}
    client.post(f"{path}/messages", json=body, headers=headers).raise_for_status()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        view = client.get(path, headers=headers).raise_for_status().json()
        if view["messages"][-1]["author"] == "bot" and len(view["messages"]) == 3:
            return str(view["messages"][-1]["text"])
        time.sleep(0.1)
    raise AssertionError("the bot did not answer")


def test_readme_names_two_commands_and_the_makefile_has_them():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for command in ("make run", "make test"):
        assert f"$ {command}\n" in readme
        assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE)


def test_make_run_serves_the_demo_from_a_clean_clone(clean_tree):
    port = free_port()
    with ExitStack() as stack:
        printed = stack.enter_context(running(["make", "run", f"PORT={port}"], clean_tree, port, CLEAN))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}"))
        for page in ("/shop/", "/widget.js", "/chat/?shop=hazel-and-finch", "/console/", "/review/", "/docs"):
            assert client.get(page).status_code == 200, page
        text = printed.read_text()
        for address in ("/shop/", "/console/", "/review/", "/docs"):
            assert f"http://127.0.0.1:{port}{address}" in text
        logins = re.findall(r"(\S+@example\.com)\s+(\S+)", text)
        assert len(logins) == 3
        for email, password in logins:
            assert client.post("/api/session", json={"email": email, "password": password}).status_code == 201
        assert client.get("/readyz").json() == {"ready": True, "database": "ok", "problems": []}
        assert "track" in chat_once(client).lower()


def test_the_dockerfile_installs_the_light_set_and_serves_as_nobody_special(clean_tree):
    dockerfile = (clean_tree / "Dockerfile").read_text()
    assert re.search(r"^USER warmline$", dockerfile, re.MULTILINE)
    assert re.search(r"^VOLUME /data$", dockerfile, re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    stage = clean_tree.parent / "src"
    stage.mkdir()
    for source in " ".join(copied).split():
        copy = shutil.copytree if (clean_tree / source).is_dir() else shutil.copyfile
        copy(clean_tree / source, stage / source)
    environment = clean_tree.parent / "opt"
    for step in re.findall(r"^RUN (python -m venv .+|/opt/warmline/bin/pip .+)$", dockerfile, re.MULTILINE):
        subprocess.run(step.replace("/opt/warmline", str(environment)).split(), cwd=stage, env=CLEAN, check=True)
    python = environment / "bin" / "python"
    for heavy in ("torch", "transformers"):
        assert subprocess.run([python, "-c", f"import {heavy}"], capture_output=True, check=False).returncode != 0
    serve_as_the_container_does(dockerfile, environment, clean_tree.parent / "data")


def serve_as_the_container_does(dockerfile: str, environment: Path, data: Path) -> None:
    data.mkdir()
    port = free_port()
    command = json.loads(re.findall(r"^CMD (\[.+\])$", dockerfile, re.MULTILINE)[-1])
    command = [str(environment / "bin" / command[0]), *command[1:]]
    command[command.index("8000")] = str(port)
    env = CLEAN | {
        "WARMLINE_ENVIRONMENT": "production",
        "WARMLINE_DATA_DIR": str(data),
        "WARMLINE_SECRET_KEY": "only-for-this-test-0123456789abcdef",
    }
    with ExitStack() as stack:
        printed = stack.enter_context(running(command, data, port, env))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}"))
        for page in ("/widget.js", "/chat/?shop=hazel-and-finch", "/console/"):
            assert client.get(page).status_code == 200, page
        assert chat_once(client)
        assert "/invitation/" in printed.read_text()
        health = re.search(r"CMD (\[\"python\".+\])", dockerfile)
        assert health
        check = [part.replace("8000", str(port)) for part in json.loads(health[1])]
        subprocess.run([environment / "bin" / check[0], *check[1:]], check=True, timeout=10)
