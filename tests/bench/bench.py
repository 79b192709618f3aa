"""One run of the benchmark: what is measured in which order, and the results as plain values."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import platform
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg

from db.postgres.address import Address
from db.postgres.embedded.server import EmbeddedServer
from tests.bench import county, meter, pgbench, ruling, shape, writing
from tests.bench.access import ROLES
from tests.bench.contestant import Running, Setting, start
from tests.bench.field import FIELD, PRODUCT, WRITERS
from tests.bench.rounds import WARM_SECONDS, Case, Measure, Track, Unequal, check_same, run_case
from tests.bench.special import THREE
from tests.bench.workload import WORKLOADS
from tests.server import free_port

# The offered rate is this part of what the slowest contestant can do that is not an order of magnitude behind.
PACED_PART = 0.5
_LEFT_BEHIND = 0.05

# Under policies of other sizes, the page of these roles is measured.
RULED = ("mediator", "bureau_admin")

# Questions of each random shape, asked in turn.
SHAPED = 40


@dataclass(frozen=True)
class Options:
    """The choices of the command line."""

    workloads: tuple[str, ...]
    roles: tuple[str, ...]
    contestants: tuple[str, ...]
    rows: tuple[int, ...]
    pages: tuple[int, ...]
    workers: tuple[int, ...]
    rules: tuple[str, ...]
    shapes: int
    seed: int
    rounds: int
    seconds: float
    paced: bool
    home: Path
    output: Path


class Bench:
    """Holds the database server while the benchmark runs: that of the home, or one that is given and goes on afterwards."""

    def __init__(
        self, options: Options, folder: Path, say: Callable[[str], None], server: EmbeddedServer | None = None
    ) -> None:
        self._options, self._folder, self._say = options, folder, say
        self._given, self._server = server, server

    def __enter__(self) -> Self:
        if self._given is None:
            self._server = EmbeddedServer.start(self._options.home)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._given is None:
            self._server.stop()

    def run(self) -> dict[str, Any]:
        """Measure all that was asked for."""
        from api.settings import Settings

        assert self._server is not None
        key = Settings(home=self._options.home).key()
        cases: list[dict[str, Any]] = []
        rules: list[dict[str, Any]] = []
        shapes: list[dict[str, Any]] = []
        for rows in self._options.rows:
            address = county.open_county(self._options.home, self._server.address, rows, key, self._say)
            for workers in self._options.workers:
                cases += self._measure(address, rows, workers)
                cases += self._written(address, rows, workers)
            rules += self._rules(address, rows)
            shapes += self._shapes(address, rows)
        machine = _machine(address)
        return {"machine": machine, "options": _plain(self._options), "cases": cases, "rules": rules, "shapes": shapes}

    def _measure(self, address: Address, rows: int, workers: int) -> list[dict[str, Any]]:
        names = [name for name in self._options.contestants if name in FIELD and (workers == 1 or FIELD[name].workers)]
        postmaster = asyncio.run(_postmaster(address))
        results = []
        cases = list(self._cases(address, rows))
        if not cases:
            return []
        with self._started(names, address, workers, cases[0]) as running:
            memory = {one.contestant.name: meter.memory(one.pid) for one in running}
            for case in cases:
                able = [one for one in running if one.contestant.can(case.workload, case.role)]
                compared = check_same(case, able)
                if not compared:
                    raise Unequal(f"{case.name}: nobody was answered a single row")
                self._say(f"{case.name}: {len(able)} contestants agree on {compared:,} rows")
            folder = self._folder / f"{rows}-{workers}"
            folder.mkdir()
            track = Track(folder, postmaster)
            for case in cases:
                able = [one for one in running if one.contestant.can(case.workload, case.role)]
                results.append(self._case(case, able, track, address, rows, workers, memory))
        return results

    def _written(self, address: Address, rows: int, workers: int) -> list[dict[str, Any]]:
        """The writing workloads, in a copy of the county: it stays as it is for whoever reads it next."""
        asked = [name for name in self._options.workloads if WORKLOADS[name].writes]
        names = [
            name for name in self._options.contestants if name in WRITERS and (workers == 1 or FIELD[name].workers)
        ]
        if not asked or not names:
            return []
        folder = self._folder / f"{rows}-{workers}-written"
        folder.mkdir()
        track = Track(folder, asyncio.run(_postmaster(address)))
        with county.copy(address) as copied, self._started(names, copied, workers) as writers:
            memory = {one.contestant.name: meter.memory(one.pid) for one in writers}
            return [self._writes(name, writers, track, copied, rows, workers, memory) for name in asked]

    def _case(
        self,
        case: Case,
        able: list[Running],
        track: Track,
        address: Address,
        rows: int,
        workers: int,
        memory: dict[str, tuple[float, float]],
    ) -> dict[str, Any]:
        options = self._options
        beside = None
        if pgbench.NAME in options.contestants and workers == 1 and case.role != THREE:
            asyncio.run(pgbench.store(address, case))

            def beside() -> Measure:
                return pgbench.measure(address, case, track.folder, track.postmaster, options.seconds)

        full = run_case(case, able, track, options.rounds, options.seconds, self._say, beside=beside)
        paced: list[list[Measure]] = []
        if options.paced and len(able) > 1:
            rates = [max(one[index].rate for one in full) for index in range(len(able))]
            near = [index for index, rate in enumerate(rates) if rate >= _LEFT_BEHIND * rates[0]]
            offered = PACED_PART * min(rates[index] for index in near)
            if offered >= 1:
                paced = run_case(
                    case, [able[i] for i in near], track, options.rounds, options.seconds, self._say, offered
                )
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
            "contestants": [one.contestant for one in full[0]],
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
        people = asyncio.run(county.callers(address, "mediator", rows))
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

    def _cases(self, address: Address, rows: int) -> Iterator[Case]:
        people: dict[str, list[county.Caller]] = {}
        for workload in self._options.workloads:
            if WORKLOADS[workload].writes:
                continue
            for role in county.roles_of(workload, self._options.roles):
                if role not in people:
                    people[role] = asyncio.run(county.callers(address, role, rows))
                for page in self._options.pages if workload == "Q1" else self._options.pages[:1]:
                    asked = asyncio.run(county.questions(address, workload, people[role], page))
                    yield Case(workload, role, page, asked)

    def _rules(self, address: Address, rows: int) -> list[dict[str, Any]]:
        """The product's first page under policies of other sizes, in turn."""
        if not self._options.rules:
            return []
        postmaster = asyncio.run(_postmaster(address))
        results = []
        folder = self._folder / f"{rows}-rules"
        folder.mkdir()
        with self._started([PRODUCT.name], address, 1) as (running,):
            for role in [role for role in RULED if not self._options.roles or role in self._options.roles]:
                people = asyncio.run(county.callers(address, role, rows))
                asked = asyncio.run(county.questions(address, "Q1", people, self._options.pages[0]))
                case = Case("Q1", role, self._options.pages[0], asked)
                rounds = asyncio.run(self._ruled(case, running, Track(folder, postmaster), address))
                results.append({"workload": "Q1", "role": role, "rows": rows, "rounds": rounds})
        return results

    async def _ruled(self, case: Case, running: Running, track: Track, address: Address) -> list[dict[str, Any]]:
        texts = {name: ruling.variant(name, case.role) for name in (ruling.SHIPPED, *self._options.rules)}
        rounds = []
        async with ruling.publishing(address) as connection:
            for number in range(self._options.rounds):
                told = {}
                for name, text in texts.items():
                    await ruling.publish(connection, text)
                    began = time.perf_counter()
                    running.send(running.contestant.ask(case.workload, case.questions[0]))
                    first = time.perf_counter() - began
                    track.measure(case, running, WARM_SECONDS)
                    measured = track.measure(case, running, self._options.seconds)
                    told[name] = {**asdict(measured), "first_answer": first}
                rounds.append(told)
                said = ", ".join(
                    f"{name} {one['server_cpu'] + one['database_cpu']:.2f} ms" for name, one in told.items()
                )
                self._say(f"rules, {case.name}, round {number + 1} of {self._options.rounds}: {said}")
        return rounds

    def _shapes(self, address: Address, rows: int) -> list[dict[str, Any]]:
        """Questions of random shape: each is measured by itself."""
        if not self._options.shapes:
            return []
        folder = self._folder / f"{rows}-shapes"
        folder.mkdir()
        track = Track(folder, asyncio.run(_postmaster(address)))
        results = []
        with self._started(list(shape.SPEAKERS), address, 1) as running:
            for role in self._options.roles or ROLES:
                people = asyncio.run(county.callers(address, role, rows))
                pages, ones = (asyncio.run(county.questions(address, name, people, 50)) for name in ("Q1", "Q2"))
                drawn = shape.draw(self._options.seed)
                left = self._options.shapes
                while left:
                    one = next(drawn)
                    asked = shape.ask(one, (ones if one.one else pages)[:SHAPED], random.Random(one.name))
                    case = Case(one.name, role, 0, asked)
                    if not shape.allowed(case, running[0]) or not check_same(case, running, lenient=True):
                        continue
                    left -= 1
                    rounds = run_case(case, running, track, self._options.rounds, self._options.seconds, self._say)
                    measured = [[asdict(each) for each in turn] for turn in rounds]
                    results.append({"shape": one.documents, "role": role, "rows": rows, "rounds": measured})
        return results

    @contextlib.contextmanager
    def _started(
        self, names: list[str], address: Address, workers: int, case: Case | None = None
    ) -> Iterator[list[Running]]:
        with contextlib.ExitStack() as stack:
            running = []
            for name in names:
                setting = Setting(self._options.home, address, free_port(), workers)
                first = FIELD[name].ask(case.workload, case.questions[0]) if case else None
                one = start(FIELD[name], setting, self._folder / f"{name}.log", first)
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
