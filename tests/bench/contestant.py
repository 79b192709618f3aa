"""A contestant: a server in a process group of its own, started on loopback, measured, and ended with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.postgres.address import Address
from tests.bench.county import Question
from tests.bench.special import THREE

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


class NotServed(Exception):
    """A contestant did not start, or did not answer as it should."""


@dataclass(frozen=True)
class Setting:
    """What a contestant is started with."""

    home: Path
    address: Address
    port: int
    workers: int


@dataclass(frozen=True)
class Request:
    """One HTTP request, as the load sends it."""

    path: str
    headers: dict[str, str]
    body: bytes


# The arguments, and what is added to the environment.
Command = Callable[[Setting], tuple[list[str], dict[str, str]]]


@dataclass(frozen=True)
class Contestant:
    """How to start it and how to ask it. `plain` turns its answer into what all answers must be equal to."""

    name: str
    words: str
    command: Command
    ask: Callable[[str, Question], Request]
    ready: str | None = None  # a path that answers 200 when it is up; else an open port is enough
    plain: Callable[[str, Any], Any] = lambda workload, answer: answer
    workloads: frozenset[str] = frozenset({"Q1", "Q2", "Q3", "Q4", "Q5"})
    workers: bool = False  # whether it can have more than one
    unions: bool = False  # whether it can answer somebody with several appointments

    def can(self, workload: str, role: str) -> bool:
        """Whether it takes part in a case."""
        return workload in self.workloads and (self.unions or role != THREE)


@dataclass
class Running:
    """A contestant that answers on its port."""

    contestant: Contestant
    port: int
    process: subprocess.Popen[bytes] = field(repr=False)
    seconds_to_answer: float = 0.0

    @property
    def pid(self) -> int:
        """The root of its processes."""
        return self.process.pid

    def send(self, request: Request, seconds: float = 30) -> bytes:
        """The body of the answer. Raises NotServed for anything but 200."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{request.path}", request.body, request.headers)
        try:
            with urllib.request.urlopen(asked, timeout=seconds) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise NotServed(
                f"{self.contestant.name}: {error.code} {error.read().decode(errors='replace')[:500]}"
            ) from None
        except OSError as error:
            raise NotServed(f"{self.contestant.name}: {error}") from None

    def stop(self) -> None:
        """End the process group that was started, in order and then by force."""
        for number, patience in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
                break
        # Whatever the leader left behind in its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def start(contestant: Contestant, setting: Setting, log: Path, first: Request | None = None) -> Running:
    """Start it, wait until it is up, and have it answer a first question. Raises NotServed with the end of its log."""
    command, extra = contestant.command(setting)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SANLIAN_")}
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment, **extra},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    running = Running(contestant, setting.port, process)
    try:
        while time.monotonic() < began + _START_SECONDS:
            if process.poll() is not None:
                break
            if _answers(contestant, setting.port):
                if first is not None:
                    running.send(first)
                running.seconds_to_answer = time.monotonic() - began
                return running
            time.sleep(0.02)
        raise NotServed(f"{contestant.name} did not start: " + log.read_text(errors="replace")[-1500:])
    except BaseException:
        running.stop()
        raise


def _answers(contestant: Contestant, port: int) -> bool:
    if contestant.ready is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{contestant.ready}", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def address_of(setting: Setting) -> dict[str, Any]:
    """The database as JSON."""
    return {name: getattr(setting.address, name) for name in ("host", "port", "database", "user", "password", "tls")}


def python_server(module: str) -> Command:
    """The command of a server of this package (see serving.py)."""

    def command(setting: Setting) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, "-m", f"tests.bench.{module}", str(setting.port), json.dumps(address_of(setting))], {}

    return command
