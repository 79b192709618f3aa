"""The log: its level is obeyed by our events and by uvicorn's, and away from a terminal every line is one JSON object."""

import json
import os
import pty
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.paths import ROOT

_PROGRAM = """
import logging, sys, structlog
log = structlog.get_logger("sanlian.test")
from api.cli.terminal import settings_or_stop
settings_or_stop()
for name in ("debug", "info", "warning", "error"):
    getattr(log, name)("ours", at=name, words="调解")
    getattr(logging.getLogger("uvicorn.error"), name)("uvicorn %s", name, extra={"color_message": "\\x1b[1m"})
    getattr(logging.getLogger("alembic"), name)("library %s", name)
"""

_MESSAGE = "李龙 13800000001 sl_secret"
# Every way in which an exception comes to the log: the page of a served application, its end, loggers of others and ours.
_FAILURES = """
import asyncio, contextlib, http.client, logging, structlog, uvicorn
from starlette.routing import Route
from api.app import assemble
from api.logging import configure
from tests.api.serving import small_application
from tests.server import serve

def fail(*_):
    raise RuntimeError("李龙 13800000001 sl_secret")

async def page(request):
    fail()

@contextlib.asynccontextmanager
async def open_nothing():
    fail()
    yield

async def forget():
    asyncio.create_task(page(None))
    await asyncio.sleep(0.01)

configure("info")
with serve(small_application(extra=[Route("/broken", page)])) as served:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("GET", "/broken")
    answer = connection.getresponse()
    print(answer.status, answer.read().decode())
with contextlib.suppress(SystemExit):
    uvicorn.run(assemble(open_nothing), port=0, log_config=None)
asyncio.run(forget())
try:
    fail()
except RuntimeError as error:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
    logging.getLogger("alembic").exception("library: %s", error)
    structlog.get_logger("sanlian.test").error("ours", exc_info=True)
"""


def environment(level: str) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SANLIAN_")},
        "SANLIAN_LOG_LEVEL": level,
    }


def logged(level: str) -> list[dict[str, Any]]:
    """What a process with this level writes to standard error, parsed; it writes nothing to standard output."""
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=ROOT,
        env=environment(level),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == ""
    return [json.loads(line) for line in ended.stderr.splitlines()]


@pytest.mark.parametrize(
    ("level", "levels"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_level_is_obeyed_by_our_events_and_uvicorns(level: str, levels: list[str]) -> None:
    events = logged(level)
    ours = [event for event in events if event["logger"] == "sanlian.test"]
    assert [event["at"] for event in ours] == [event["level"] for event in ours] == levels
    assert [event["event"] for event in events if event["logger"] == "uvicorn.error"] == [
        f"uvicorn {name}" for name in levels
    ]
    # Other libraries speak from WARNING on, whatever the level.
    of_library = [event["level"] for event in events if event["logger"] == "alembic"]
    assert of_library == [name for name in levels if name in ("warning", "error")]


def test_line_has_a_time_a_logger_a_level_and_the_values() -> None:
    (event,) = [event for event in logged("error") if event["logger"] == "sanlian.test"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", event.pop("timestamp"))
    assert event == {"event": "ours", "level": "error", "logger": "sanlian.test", "at": "error", "words": "调解"}


def test_no_exception_is_logged_with_its_message() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _FAILURES],
        cwd=ROOT,
        env=environment("info"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == '500 {"status":"failed"}\n'
    for word in _MESSAGE.split():
        assert word not in ended.stderr
    events = [json.loads(line) for line in ended.stderr.splitlines()]
    failures = [(event["logger"], event["event"].splitlines()[0]) for event in events if "error" in event]
    # The page and the lifespan are logged once, by us.
    assert failures == [
        ("sanlian.app", "page_failed"),
        ("sanlian.app", "lifespan_failed"),
        ("asyncio", "Task exception was never retrieved"),
        ("uvicorn.error", "Exception in ASGI application"),
        ("alembic", "library: RuntimeError"),
        ("sanlian.test", "ours"),
    ]
    for event in events:
        if "error" in event:
            assert event["error"] == "RuntimeError"
            assert re.fullmatch(r"<string>:\d+ fail", event["frames"][-1])


def shown_at_a_terminal(program: str, level: str) -> str:
    """What a program writes to standard error where that is a terminal."""
    master, terminal = pty.openpty()
    try:
        command = [sys.executable, "-c", program]
        subprocess.run(command, cwd=ROOT, env=environment(level), stderr=terminal, timeout=60, check=True)
        return os.read(master, 65536).decode()
    finally:
        os.close(terminal)
        os.close(master)


def test_a_terminal_gets_no_message_of_an_exception() -> None:
    program = _FAILURES[: _FAILURES.index("with serve")] + _FAILURES[_FAILURES.index("try:") :]
    shown = shown_at_a_terminal(program, "info")
    assert "RuntimeError" in shown
    assert not any(word in shown for word in _MESSAGE.split())


def test_a_terminal_gets_lines_for_people() -> None:
    shown = shown_at_a_terminal(_PROGRAM, "error")
    assert "ours" in shown
    assert not any(line.startswith("{") for line in shown.splitlines())
