"""Interleaved rounds: every contestant in turn, again and again, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import process_usage, wrk
from tests.bench.comparison import Different, canonical, compare, count_rows
from tests.bench.contestant import NotServed, Running
from tests.bench.county import Question

CHECKED = 12  # questions of each workload and role that must be answered alike
WARM_SECONDS = 2.0
_SETTLE_SECONDS = 0.2
_DRAIN_SECONDS = 20.0
_IDLE = 0.05  # of one processor


@dataclass(frozen=True)
class Measure:
    """One contestant in one round. CPU in milliseconds a request."""

    contestant: str
    rate: float
    p50: float
    p90: float
    p99: float
    server_cpu: float
    database_cpu: float
    requests: int
    refused: int = 0
    offered: float | None = None

    @property
    def cpu(self) -> float:
        """Of server and database together."""
        return self.server_cpu + self.database_cpu


@dataclass(frozen=True)
class Case:
    """What is asked: a workload as a role, with its questions."""

    workload: str
    role: str
    page: int
    questions: list[Question] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.workload} {self.role}" + (f" page {self.page}" if self.workload == "Q1" else "")


class Unequal(Exception):
    """Contestants answer differently, so nothing may be measured."""


def check_equal_answers(case: Case, servers: Sequence[Running], *, lenient: bool = False) -> int:
    """That all of them answer the case alike (`lenient`: see `comparison.compare`); the number of rows that were compared. Raises Unequal."""
    rows = 0
    chosen = [question for question in case.questions if not question.variables.get("after")][:2]
    chosen += [question for question in case.questions if question not in chosen][: CHECKED - len(chosen)]
    for question in chosen:
        expected = None
        for running in servers:
            try:
                answer = json.loads(running.send(running.request(case.workload, question)))
            except (NotServed, ValueError) as error:
                raise Unequal(f"{case.name}: {error}") from None
            if answer.get("errors"):
                raise Unequal(f"{case.name}: {running.contestant.name}: {answer['errors'][0]}")
            answered = canonical(running.contestant.normalize(case.workload, answer["data"]))
            if expected is None:
                expected = answered
                rows += count_rows(answered)
                continue
            try:
                compare(expected, answered, lenient=lenient)
            except Different as different:
                raise Unequal(
                    f"{case.name}: {servers[0].contestant.name} and {running.contestant.name} differ for {question.caller.name}"
                    f" {question.variables}: {different}"
                ) from None
    return rows


@dataclass
class LoadMeter:
    """Where the load of one process is read, and the CPU of the database beside it."""

    folder: Path
    postmaster: int

    def requests_of(self, case: Case, running: Running) -> Path:
        """The file of the case's requests to a contestant."""
        path = self._path(case, running)
        if not path.exists():
            marks: dict[bytes, str | None] = {}
            asked = [running.request(case.workload, question, marks) for question in case.questions]
            wrk.write_requests(path, [(one.path, one.headers, one.body) for one in asked])
        return path

    def forget(self, case: Case, running: Running) -> None:
        """Write the case's requests anew when they are needed next."""
        self._path(case, running).unlink(missing_ok=True)

    def _path(self, case: Case, running: Running) -> Path:
        return self.folder / f"{running.contestant.name}-{case.workload}-{case.role}-{case.page}.txt"

    def measure(
        self, case: Case, running: Running, seconds: float, *, start: int = 0, rate: float | None = None
    ) -> Measure:
        """One round of one contestant, with the work that it goes on with when time is up."""
        path = self.requests_of(case, running)
        server, database = process_usage.cpu_seconds(running.pid), process_usage.cpu_seconds(self.postmaster)
        load = wrk.run(running.port, path, seconds, start=start, rate=rate)
        self.drain(running)
        server, database = (
            process_usage.cpu_seconds(running.pid) - server,
            process_usage.cpu_seconds(self.postmaster) - database,
        )
        each = 1000 / load.work
        return Measure(
            running.contestant.name,
            load.rate,
            load.p50,
            load.p90,
            load.p99,
            server * each,
            database * each,
            load.requests,
            load.refused + load.broken,
            rate,
        )

    def drain(self, running: Running) -> None:
        """Wait until neither the server nor the database works any more, for a while."""
        end = time.monotonic() + _DRAIN_SECONDS
        before = process_usage.cpu_seconds(running.pid) + process_usage.cpu_seconds(self.postmaster)
        while time.monotonic() < end:
            time.sleep(_SETTLE_SECONDS)
            now = process_usage.cpu_seconds(running.pid) + process_usage.cpu_seconds(self.postmaster)
            if now - before <= _IDLE * _SETTLE_SECONDS:
                return
            before = now


def run_case(
    case: Case,
    servers: Sequence[Running],
    load_meter: LoadMeter,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
    rate: float | None = None,
    beside: Callable[[], Measure] | None = None,
) -> list[list[Measure]]:
    """The rounds of one case; each holds one measure a contestant. The order turns by one from round to round.

    `beside` is measured at the end of each round: something that is no server.
    """
    if rate is None:
        for running in servers:
            wrk.run(running.port, load_meter.requests_of(case, running), min(WARM_SECONDS, seconds))
            load_meter.drain(running)
    result = []
    for number in range(rounds):
        turn = number % len(servers)
        measured = {}
        for running in [*servers[turn:], *servers[:turn]]:
            start = number * len(case.questions) // max(1, rounds)
            measured[running.contestant.name] = load_meter.measure(case, running, seconds, start=start, rate=rate)
        result.append([measured[running.contestant.name] for running in servers])
        if beside is not None:
            result[-1].append(beside())
        pace = f" at {rate:.0f}/s" if rate else ""
        say(
            f"{case.name}{pace}, round {number + 1} of {rounds}: "
            + ", ".join(f"{one.contestant} {one.rate:.0f}/s {one.cpu:.2f} ms" for one in result[-1])
        )
    return result
