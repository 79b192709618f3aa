"""The demo as a visitor meets it: started in a terminal, tried as every role, stopped with Ctrl-C, started again."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.demo import _TRY, TOKENS_FILE
from db.county import PRINCIPALS
from db.postgres.embedded.server import EmbeddedServer, erase
from tests.paths import ROOT


class Terminal:
    """A demo that somebody started."""

    def __init__(self, home: Path, *arguments: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "api", "demo", "--port", str(self.port), *arguments]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SANLIAN_")}
        # A group of its own, as in a terminal: the signal of Ctrl-C goes to all of it.
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**kept, "SANLIAN_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def wait(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail(self.stop()[1])

    def ask(self, token: str, query: str) -> dict[str, object]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, object] = json.load(response)
        return answer

    def stop(self) -> tuple[int, str]:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        told, _ = self.process.communicate(timeout=60)
        return self.process.returncode, told


@pytest.fixture
def home() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="sanlian-demo-"))
    place.chmod(0o711)
    yield place / "home"
    erase(place / "home")
    shutil.rmtree(place)


def read_tokens(home: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((home / TOKENS_FILE).read_text())
    return found


def test_demo_gives_every_role_a_token_that_works_and_keeps_it(home: Path) -> None:
    first = Terminal(home)
    first.wait()
    tokens = read_tokens(home)
    assert list(tokens) == list(PRINCIPALS)
    assert stat.S_IMODE((home / TOKENS_FILE).stat().st_mode) == 0o600
    for role, token in tokens.items():
        answer = first.ask(token, "{ viewer { roles } }")
        assert "errors" not in answer, (role, answer)
        assert role in answer["data"]["viewer"]["roles"]  # type: ignore[index]
    for role, _, query in _TRY:
        assert "errors" not in first.ask(tokens[role], query)
    # The second terminal shares the server of the first, and leaves it running.
    second = Terminal(home)
    second.wait()
    status, told = second.stop()
    assert (status, "Traceback" in told) == (0, False), told
    assert "另一个终端" in told
    assert "errors" not in first.ask(tokens["mediator"], "{ viewer { roles } }")
    status, told = first.stop()
    assert (status, "Traceback" in told) == (0, False), told
    assert all(token in told for token in tokens.values())
    with EmbeddedServer.start(home, durable=False) as server:
        assert not server.joined  # PostgreSQL had gone with its owner

    again = Terminal(home)
    again.wait()
    assert read_tokens(home) == tokens
    assert "errors" not in again.ask(tokens["mediator"], "{ viewer { roles } }")
    assert again.stop()[0] == 0


def test_interrupt_before_it_serves_leaves_nothing_behind(home: Path) -> None:
    early = Terminal(home)
    deadline = time.monotonic() + 60
    while not list(home.glob("postgres/data/postmaster.pid")) and time.monotonic() < deadline:
        time.sleep(0.02)
    status, told = early.stop()
    assert (status, "Traceback" in told) == (130, False), told
    with EmbeddedServer.start(home, durable=False) as server:
        assert not server.joined
