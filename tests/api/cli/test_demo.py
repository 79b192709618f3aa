"""The demo as a visitor meets it: started in a terminal, tried as every role, stopped with Ctrl-C, started again."""

import json
import shutil
import stat
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.cli.demo import EXAMPLE_QUERIES, TOKENS_FILE
from db.county.people import PRINCIPALS
from db.postgres.embedded.server import EmbeddedServer, erase
from tests.server import ServerProcess, start_demo


def ask(demo: ServerProcess, token: str, query: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{demo.url}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def interrupt(demo: ServerProcess) -> tuple[int, str]:
    """Press Ctrl-C; the exit status, and all that it printed."""
    return demo.interrupt(), demo.output


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
    """Slow: three demos, the first of which loads its county into a new database."""
    first = start_demo(home, home.parent / "first")
    first.wait()
    tokens = read_tokens(home)
    assert list(tokens) == list(PRINCIPALS)
    assert stat.S_IMODE((home / TOKENS_FILE).stat().st_mode) == 0o600
    for role, token in tokens.items():
        answer = ask(first, token, "{ viewer { roles } }")
        assert "errors" not in answer, (role, answer)
        assert role in answer["data"]["viewer"]["roles"]
    for role, _, query in EXAMPLE_QUERIES:
        assert "errors" not in ask(first, tokens[role], query)
    # The second terminal shares the server of the first, and leaves it running.
    second = start_demo(home, home.parent / "second")
    second.wait()
    status, output = interrupt(second)
    assert (status, "Traceback" in output) == (0, False), output
    assert "另一个终端" in output
    assert "errors" not in ask(first, tokens["mediator"], "{ viewer { roles } }")
    status, output = interrupt(first)
    assert (status, "Traceback" in output) == (0, False), output
    assert all(token in output for token in tokens.values())
    with EmbeddedServer.start(home, durable=False) as server:
        assert not server.joined  # PostgreSQL had gone with its owner

    again = start_demo(home, home.parent / "again")
    again.wait()
    assert read_tokens(home) == tokens
    assert "errors" not in ask(again, tokens["mediator"], "{ viewer { roles } }")
    assert interrupt(again)[0] == 0


def test_interrupt_before_it_serves_leaves_nothing_behind(home: Path) -> None:
    early = start_demo(home, home.parent / "early")
    deadline = time.monotonic() + 60
    while not list(home.glob("postgres/data/postmaster.pid")) and time.monotonic() < deadline:
        time.sleep(0.02)
    status, output = interrupt(early)
    assert (status, "Traceback" in output) == (130, False), output
    with EmbeddedServer.start(home, durable=False) as server:
        assert not server.joined
