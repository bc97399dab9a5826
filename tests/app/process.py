"""The server as a process that can be killed.

``python -m tests.app.process PORT`` serves what ``WARMLINE_*`` says, with a reader that takes
``TEST_READER_SECONDS`` a batch and fails, naming the text it was given, on the words in ``TEST_READER_FAILS``.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import uvicorn

from app.config import Settings
from app.logs import configure_logs
from models.base import Reading, Utterance
from models.rules import RulesReader
from tests.serving import ROOT, SECRET, SMALL_SHOP, build, eventually


class Process:
    """The server in a process of its own, on one port for all its lives. ``kill()`` is kill -9."""

    def __init__(self, folder: Path, url: str, **env: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"server-{self.port}.log"
        self._env = {
            **os.environ, "WARMLINE_DATABASE_URL": url, "WARMLINE_DATA_DIR": str(folder), "WARMLINE_SECRET_KEY": SECRET,
            "WARMLINE_EMOTION_MODEL": "rules", "WARMLINE_ENCODER_MODEL": str(folder / "no-encoder"),
            "WARMLINE_SHOPS": json.dumps([str(SMALL_SHOP)]), **env,
        }  # fmt: skip

    async def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "tests.app.process", str(self.port)]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=log, stderr=log)
        await eventually(self._answers, "the server's start")

    async def _answers(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.HTTPError):
            async with httpx.AsyncClient(base_url=self.address) as http:
                return (await http.get("/healthz")).status_code == 200
        return False

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


class TestReader:
    """The rules, as slow and as faulty as the environment says."""

    __test__ = False
    name = "test"

    def __init__(self, seconds: float = 0.0, fails_on: str = "") -> None:
        self.seconds, self.fails_on = seconds, fails_on

    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        time.sleep(self.seconds)
        for utterance in batch:
            if self.fails_on and self.fails_on in utterance.text:
                raise RuntimeError(f"cannot read {utterance.text}")
        return RulesReader().read(batch)


def main(port: int) -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    configure_logs(settings.log_level)
    reader = TestReader(float(os.environ.get("TEST_READER_SECONDS", "0")), os.environ.get("TEST_READER_FAILS", ""))
    app = build(settings, reader)
    uvicorn.run(app, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
