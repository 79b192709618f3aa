"""One run of the benchmark: what is measured in which order, and the results as plain values."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg

from db.embedded import EmbeddedServer
from db.engine import Address
from tests.bench import county, meter, writing
from tests.bench.contestant import Running, Setting, free_port, start
from tests.bench.field import FIELD, WRITERS
from tests.bench.rounds import Case, Measure, Track, check_same, run_case
from tests.bench.workload import WORKLOADS

# The offered rate is this part of what the slowest contestant can do that is not an order of magnitude behind.
PACED_PART = 0.5
_LEFT_BEHIND = 0.2


@dataclass(frozen=True)
class Options:
    """The choices of the command line."""

    workloads: tuple[str, ...]
    roles: tuple[str, ...]
    contestants: tuple[str, ...]
    rows: tuple[int, ...]
    pages: tuple[int, ...]
    workers: tuple[int, ...]
    rounds: int
    seconds: float
    paced: bool
    home: Path
    output: Path


class Bench:
    """Holds the database server while the benchmark runs."""

    def __init__(self, options: Options, folder: Path, say: Callable[[str], None]) -> None:
        self._options, self._folder, self._say = options, folder, say
        self._server: EmbeddedServer | None = None

    def __enter__(self) -> Self:
        self._server = EmbeddedServer.start(self._options.home)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()

    def run(self) -> dict[str, Any]:
        """Measure all that was asked for."""
        from api.settings import Settings

        assert self._server is not None
        key = Settings(home=self._options.home).key()
        cases = []
        for rows in self._options.rows:
            address = county.open_county(self._options.home, self._server.address, rows, key, self._say)
            for workers in self._options.workers:
                cases += self._measure(address, rows, workers)
        return {"machine": _machine(address), "options": _plain(self._options), "cases": cases}

    def _measure(self, address: Address, rows: int, workers: int) -> list[dict[str, Any]]:
        names = [name for name in self._options.contestants if workers == 1 or FIELD[name].workers]
        postmaster = asyncio.run(_postmaster(address))
        results = []
        with self._started(names, address, workers) as running:
            memory = {one.contestant.name: meter.memory(one.pid) for one in running}
            people: dict[str, list[county.Caller]] = {}
            cases = list(self._cases(address, people))
            for case in cases:
                able = [one for one in running if case.workload in one.contestant.workloads]
                compared = check_same(case, able)
                self._say(f"{case.name}: {len(able)} contestants agree on {compared:,} rows")
            folder = self._folder / f"{rows}-{workers}"
            folder.mkdir()
            track = Track(folder, postmaster)
            for case in cases:
                able = [one for one in running if case.workload in one.contestant.workloads]
                results.append(self._case(case, able, track, rows, workers, memory))
            for workload in self._options.workloads:
                if WORKLOADS[workload].writes:
                    writers = [one for one in running if one.contestant.name in WRITERS]
                    results.append(self._writes(workload, writers, track, address, rows, workers, memory))
        return results

    def _case(
        self,
        case: Case,
        able: list[Running],
        track: Track,
        rows: int,
        workers: int,
        memory: dict[str, tuple[float, float]],
    ) -> dict[str, Any]:
        options = self._options
        full = run_case(case, able, track, options.rounds, options.seconds, self._say)
        paced: list[list[Measure]] = []
        if options.paced and len(able) > 1:
            rates = [max(one[index].rate for one in full) for index in range(len(able))]
            near = [index for index, rate in enumerate(rates) if rate >= _LEFT_BEHIND * rates[0]]
            offered = PACED_PART * min(rates[index] for index in near)
            paced = run_case(case, [able[i] for i in near], track, options.rounds, options.seconds, self._say, offered)
        return self._result(case, able, rows, workers, memory, full, paced)

    def _result(
        self,
        case: Case,
        able: list[Running],
        rows: int,
        workers: int,
        memory: dict[str, tuple[float, float]],
        full: list[list[Measure]],
        paced: list[list[Measure]],
    ) -> dict[str, Any]:
        return {
            "workload": case.workload,
            "role": case.role,
            "page": case.page if case.workload == "Q1" else None,
            "rows": rows,
            "workers": workers,
            "contestants": [one.contestant.name for one in able],
            "rounds": [[asdict(one) for one in measured] for measured in full],
            "paced": [[asdict(one) for one in measured] for measured in paced],
            "memory_idle": {one.contestant.name: memory[one.contestant.name] for one in able},
            "memory_loaded": {one.contestant.name: meter.memory(one.pid) for one in able},
            "seconds_to_answer": {one.contestant.name: one.seconds_to_answer for one in able},
        }

    def _writes(
        self,
        workload: str,
        writers: list[Running],
        track: Track,
        address: Address,
        rows: int,
        workers: int,
        memory: dict[str, tuple[float, float]],
    ) -> dict[str, Any]:
        people = asyncio.run(county.callers(address, "mediator"))
        asyncio.run(writing.stock(address, people))
        compared = asyncio.run(writing.check_same(address, workload, people, writers))
        self._say(f"{workload}: {len(writers)} contestants leave the same rows of {compared} orders")
        rounds = []
        # The first round warms up.
        for number in range(self._options.rounds + 1):
            turn = number % len(writers)
            measured = {}
            for one in [*writers[turn:], *writers[:turn]]:
                measured[one.contestant.name] = asyncio.run(
                    writing.measure(address, workload, people, one, track, self._options.seconds)
                )
            rounds.append([measured[one.contestant.name] for one in writers])
            told = ", ".join(f"{one.contestant} {one.rate:.0f}/s {one.cpu:.2f} ms" for one in rounds[-1])
            self._say(f"{workload}, round {number} of {self._options.rounds}: {told}")
        return self._result(Case(workload, "mediator", 0, []), writers, rows, workers, memory, rounds[1:], [])

    def _cases(self, address: Address, people: dict[str, list[county.Caller]]) -> Iterator[Case]:
        for workload in self._options.workloads:
            if WORKLOADS[workload].writes:
                continue
            for role in county.roles_of(workload, self._options.roles):
                if role not in people:
                    people[role] = asyncio.run(county.callers(address, role))
                for page in self._options.pages if workload == "Q1" else self._options.pages[:1]:
                    asked = asyncio.run(county.questions(address, workload, people[role], page))
                    yield Case(workload, role, page, asked)

    @contextlib.contextmanager
    def _started(self, names: list[str], address: Address, workers: int) -> Iterator[list[Running]]:
        with contextlib.ExitStack() as stack:
            running = []
            for name in names:
                setting = Setting(self._options.home, address, free_port(), workers)
                one = start(FIELD[name], setting, self._folder / f"{name}.log")
                stack.callback(one.stop)
                self._say(f"{name} answers after {one.seconds_to_answer:.1f} s")
                running.append(one)
            yield running


async def _postmaster(address: Address) -> int:
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        return int((await connection.fetchval("SELECT pg_read_file('postmaster.pid')")).split()[0])
    finally:
        await connection.close()


def _machine(address: Address) -> dict[str, Any]:
    async def version() -> str:
        connection = await asyncpg.connect(**address.connect_arguments())
        try:
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close()

    import os

    return {
        "processors": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "postgresql": asyncio.run(version()),
        "day": dt.datetime.now(dt.UTC).date().isoformat(),
    }


def _plain(options: Options) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(options).items()}
