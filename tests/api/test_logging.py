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


def test_a_terminal_gets_lines_for_people() -> None:
    master, terminal = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            cwd=ROOT,
            env=environment("error"),
            stderr=terminal,
            timeout=60,
            check=True,
        )
        shown = os.read(master, 65536).decode()
    finally:
        os.close(terminal)
        os.close(master)
    assert "ours" in shown
    assert not any(line.startswith("{") for line in shown.splitlines())
