"""A contestant: a server in a process group of its own, started on loopback, measured, and ended with all that it started."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from db.postgres.address import Address
from tests.bench.county import Question
from tests.bench.special_callers import THREE
from tests.server import NotStarted, ServerProcess


class NotServed(Exception):
    """A contestant did not start, or did not answer as it should."""


@dataclass(frozen=True)
class Setting:
    """What a contestant is started with. `beside`: another checkout of the product, where one is measured too."""

    home: Path
    address: Address
    port: int
    workers: int
    beside: Path | None = None


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
    """How to start it and how to ask it. `normalize` turns its answer into what all answers must be equal to."""

    name: str
    description: str
    command: Command
    ask: Callable[[str, Question], Request]
    ready: str | None = None  # a path that answers 200 when it is up; else an open port is enough
    normalize: Callable[[str, Any], Any] = lambda workload, answer: answer
    workloads: frozenset[str] = frozenset({"Q1", "Q2", "Q3", "Q4", "Q5"})
    workers: bool = False  # whether it can have more than one
    # Where a cursor belongs to its question: what to ask for its mark, and how to read it.
    mark: tuple[Callable[[str, Question], Request], Callable[[bytes], str | None]] | None = None
    several_appointments: bool = False  # whether it can answer somebody with several appointments

    def supports(self, workload: str, role: str) -> bool:
        """Whether it takes part in a case."""
        return workload in self.workloads and (self.several_appointments or role != THREE)


@dataclass
class Running:
    """A contestant that answers on its port."""

    contestant: Contestant
    server: ServerProcess
    seconds_to_answer: float = 0.0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    @property
    def pid(self) -> int:
        """The root of its processes."""
        return self.server.process.pid

    def request(self, workload: str, question: Question, marks: dict[bytes, str | None] | None = None) -> Request:
        """The request of a question, with a cursor of this very server. `marks`: those that are known, by what was asked for them."""
        if self.contestant.mark is not None and question.variables.get("after"):
            ask, read = self.contestant.mark
            first = ask(workload, question)
            marks, key = {} if marks is None else marks, repr((first.headers, first.body)).encode()
            if key not in marks:
                marks[key] = read(self.send(first))
            question = replace(question, mark=marks[key])
        return self.contestant.ask(workload, question)

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
        """End it with all that it started."""
        self.server.stop()


def start(contestant: Contestant, setting: Setting, log: Path, first: Request | None = None) -> Running:
    """Start it, wait until it is up, and have it answer a first question. Raises NotServed."""
    command, environment = contestant.command(setting)
    began = time.monotonic()
    running = Running(contestant, ServerProcess(command, setting.port, log, environment))
    try:
        running.server.wait(contestant.ready)
        if first is not None:
            running.send(first)
    except NotStarted as error:
        running.stop()
        raise NotServed(f"{contestant.name} did not start: {error}") from None
    except BaseException:
        running.stop()
        raise
    running.seconds_to_answer = time.monotonic() - began
    return running


def address_of(setting: Setting) -> dict[str, Any]:
    """The database as JSON."""
    return {name: getattr(setting.address, name) for name in ("host", "port", "database", "user", "password", "tls")}


def python_server(module: str) -> Command:
    """The command of a server of this package (see serving.py)."""

    def command(setting: Setting) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, "-m", f"tests.bench.{module}", str(setting.port), json.dumps(address_of(setting))], {}

    return command
