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
from tests.bench import county, pgbench, policy_sizes, process_usage, random_queries, write_workloads
from tests.bench.access import ROLES
from tests.bench.contestant import Running, Setting, start
from tests.bench.contestants import CONTESTANTS, PRODUCT, WRITERS
from tests.bench.rounds import WARM_SECONDS, Case, LoadMeter, Measure, Unequal, check_equal_answers, run_case
from tests.bench.special_callers import THREE
from tests.bench.workload import WORKLOADS
from tests.server import free_port

# The offered rate is this part of what the slowest contestant can do that is not an order of magnitude behind.
PACED_PART = 0.5
_LEFT_BEHIND = 0.05

# Under policies of other sizes, the page of these roles is measured.
POLICY_SIZE_ROLES = ("mediator", "bureau_admin")

# Questions of each random shape, asked in turn.
QUESTIONS_OF_RANDOM_QUERY = 40


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
    beside: Path | None
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
                cases += self._measure_reads(address, rows, workers)
                cases += self._measure_writes(address, rows, workers)
            rules += self._measure_policies(address, rows)
            shapes += self._measure_random_queries(address, rows)
        machine = _machine(address)
        return {"machine": machine, "options": _plain(self._options), "cases": cases, "rules": rules, "shapes": shapes}

    def _measure_reads(self, address: Address, rows: int, workers: int) -> list[dict[str, Any]]:
        names = [
            name
            for name in self._options.contestants
            if name in CONTESTANTS and (workers == 1 or CONTESTANTS[name].workers)
        ]
        postmaster = asyncio.run(_postmaster(address))
        results = []
        cases = list(self._cases(address, rows))
        if not cases:
            return []
        with self._started(names, address, workers, cases[0]) as running:
            memory = {one.contestant.name: process_usage.memory(one.pid) for one in running}
            for case in cases:
                participants = [one for one in running if one.contestant.supports(case.workload, case.role)]
                compared = check_equal_answers(case, participants)
                if not compared:
                    raise Unequal(f"{case.name}: nobody was answered a single row")
                self._say(f"{case.name}: {len(participants)} contestants agree on {compared:,} rows")
            folder = self._folder / f"{rows}-{workers}"
            folder.mkdir()
            load_meter = LoadMeter(folder, postmaster)
            for case in cases:
                participants = [one for one in running if one.contestant.supports(case.workload, case.role)]
                results.append(self._case(case, participants, load_meter, address, rows, workers, memory))
        return results

    def _measure_writes(self, address: Address, rows: int, workers: int) -> list[dict[str, Any]]:
        """The writing workloads, in a copy of the county: it stays as it is for whoever reads it next."""
        questions = [name for name in self._options.workloads if WORKLOADS[name].writes]
        names = [
            name
            for name in self._options.contestants
            if name in WRITERS and (workers == 1 or CONTESTANTS[name].workers)
        ]
        if not questions or not names:
            return []
        folder = self._folder / f"{rows}-{workers}-written"
        folder.mkdir()
        load_meter = LoadMeter(folder, asyncio.run(_postmaster(address)))
        with county.copy(address) as copied, self._started(names, copied, workers) as writers:
            memory = {one.contestant.name: process_usage.memory(one.pid) for one in writers}
            return [self._write_case(name, writers, load_meter, copied, rows, workers, memory) for name in questions]

    def _case(
        self,
        case: Case,
        participants: list[Running],
        load_meter: LoadMeter,
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
                return pgbench.measure(address, case, load_meter.folder, load_meter.postmaster, options.seconds)

        full = run_case(case, participants, load_meter, options.rounds, options.seconds, self._say, beside=beside)
        paced: list[list[Measure]] = []
        if options.paced and len(participants) > 1:
            rates = [max(one[index].rate for one in full) for index in range(len(participants))]
            near = [index for index, rate in enumerate(rates) if rate >= _LEFT_BEHIND * rates[0]]
            offered = PACED_PART * min(rates[index] for index in near)
            if offered >= 1:
                paced = run_case(
                    case,
                    [participants[i] for i in near],
                    load_meter,
                    options.rounds,
                    options.seconds,
                    self._say,
                    offered,
                )
        return self._result(case, participants, rows, workers, memory, full, paced)

    def _result(
        self,
        case: Case,
        participants: list[Running],
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
            "memory_idle": {one.contestant.name: memory[one.contestant.name] for one in participants},
            "memory_loaded": {one.contestant.name: process_usage.memory(one.pid) for one in participants},
            "seconds_to_answer": {one.contestant.name: one.seconds_to_answer for one in participants},
        }

    def _write_case(
        self,
        workload: str,
        writers: list[Running],
        load_meter: LoadMeter,
        address: Address,
        rows: int,
        workers: int,
        memory: dict[str, tuple[float, float]],
    ) -> dict[str, Any]:
        people = asyncio.run(county.callers(address, "mediator", rows))
        asyncio.run(write_workloads.stock(address, people))
        compared = asyncio.run(write_workloads.check_equal_answers(address, workload, people, writers))
        self._say(f"{workload}: {len(writers)} contestants leave the same rows of {compared} commands")
        rounds = []
        # The first round warms up.
        for number in range(self._options.rounds + 1):
            turn = number % len(writers)
            measured = {}
            for one in [*writers[turn:], *writers[:turn]]:
                measured[one.contestant.name] = asyncio.run(
                    write_workloads.measure(address, workload, people, one, load_meter, self._options.seconds)
                )
            rounds.append([measured[one.contestant.name] for one in writers])
            summary = ", ".join(f"{one.contestant} {one.rate:.0f}/s {one.cpu:.2f} ms" for one in rounds[-1])
            self._say(f"{workload}, round {number} of {self._options.rounds}: {summary}")
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
                    questions = asyncio.run(county.questions(address, workload, people[role], page))
                    yield Case(workload, role, page, questions)

    def _measure_policies(self, address: Address, rows: int) -> list[dict[str, Any]]:
        """The product's first page under policies of other sizes, in turn."""
        if not self._options.rules:
            return []
        postmaster = asyncio.run(_postmaster(address))
        results = []
        folder = self._folder / f"{rows}-rules"
        folder.mkdir()
        with self._started([PRODUCT.name], address, 1) as (running,):
            for role in [role for role in POLICY_SIZE_ROLES if not self._options.roles or role in self._options.roles]:
                people = asyncio.run(county.callers(address, role, rows))
                questions = asyncio.run(county.questions(address, "Q1", people, self._options.pages[0]))
                case = Case("Q1", role, self._options.pages[0], questions)
                rounds = asyncio.run(self._measure_policy_sizes(case, running, LoadMeter(folder, postmaster), address))
                results.append({"workload": "Q1", "role": role, "rows": rows, "rounds": rounds})
        return results

    async def _measure_policy_sizes(
        self, case: Case, running: Running, load_meter: LoadMeter, address: Address
    ) -> list[dict[str, Any]]:
        texts = {name: policy_sizes.variant(name, case.role) for name in (policy_sizes.SHIPPED, *self._options.rules)}
        rounds = []
        async with policy_sizes.publishing(address) as connection:
            for number in range(self._options.rounds):
                measured_by_name = {}
                for name, text in texts.items():
                    await policy_sizes.publish(connection, text)
                    # Cursors belong to a version of the policy.
                    load_meter.forget(case, running)
                    began = time.perf_counter()
                    running.send(running.request(case.workload, case.questions[0]))
                    first = time.perf_counter() - began
                    load_meter.measure(case, running, WARM_SECONDS)
                    measured = load_meter.measure(case, running, self._options.seconds)
                    measured_by_name[name] = {**asdict(measured), "first_answer": first}
                rounds.append(measured_by_name)
                summary = ", ".join(
                    f"{name} {one['server_cpu'] + one['database_cpu']:.2f} ms" for name, one in measured_by_name.items()
                )
                self._say(f"rules, {case.name}, round {number + 1} of {self._options.rounds}: {summary}")
        return rounds

    def _measure_random_queries(self, address: Address, rows: int) -> list[dict[str, Any]]:
        """Questions of random shape: each is measured by itself."""
        if not self._options.shapes:
            return []
        folder = self._folder / f"{rows}-shapes"
        folder.mkdir()
        load_meter = LoadMeter(folder, asyncio.run(_postmaster(address)))
        results = []
        with self._started(list(random_queries.COMPARED), address, 1) as running:
            for role in self._options.roles or ROLES:
                people = asyncio.run(county.callers(address, role, rows))
                pages, ones = (asyncio.run(county.questions(address, name, people, 50)) for name in ("Q1", "Q2"))
                queries = random_queries.generate(self._options.seed)
                left = self._options.shapes
                while left:
                    one = next(queries)
                    questions = random_queries.questions_of(
                        one, (ones if one.one else pages)[:QUESTIONS_OF_RANDOM_QUERY], random.Random(one.name)
                    )
                    case = Case(one.name, role, 0, questions)
                    if not random_queries.allowed(case, running[0]) or not check_equal_answers(
                        case, running, lenient=True
                    ):
                        continue
                    left -= 1
                    rounds = run_case(case, running, load_meter, self._options.rounds, self._options.seconds, self._say)
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
                setting = Setting(self._options.home, address, free_port(), workers, self._options.beside)
                first = CONTESTANTS[name].ask(case.workload, case.questions[0]) if case else None
                one = start(CONTESTANTS[name], setting, self._folder / f"{name}.log", first)
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
