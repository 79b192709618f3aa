"""The benchmark itself, for a few seconds: the county, two contestants that agree, a load, a report; and nothing left behind."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from db.postgres.address import Address
from db.postgres.embedded.server import EmbeddedServer
from tests.bench import county, report, wrk
from tests.bench.bench import Bench, Options
from tests.bench.process_usage import tree
from tests.paths import ROOT

_ROWS = 1000


def _command(pid: int) -> bytes:
    """What a process runs; nothing if it has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_short_run_measures_the_product_and_the_bare_route(
    server: EmbeddedServer, own_county: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow: two servers are started, warmed up and measured at full speed, at a pace and under two policies, a second each or more."""
    try:
        wrk.find()
    except wrk.LoadFailed as missing:
        pytest.skip(str(missing))
    # A county of the tests stands in for the one that the benchmark would keep.
    monkeypatch.setattr(county, "database_of", lambda address, rows: replace(address, database=own_county.database))
    options = Options(
        workloads=("Q2",), roles=("mediator",), contestants=("sanlian", "bare", "beside"), rows=(_ROWS,), pages=(50,), workers=(1,),
        rules=("20",), shapes=0, seed=1, rounds=1, seconds=1.0, paced=True, beside=ROOT, home=tmp_path, output=tmp_path,
    )  # fmt: skip
    before = set(tree(os.getpid()))
    with Bench(options, tmp_path, lambda text: None, server) as bench:
        results = bench.run()
    # Whatever is left descends from the database, which goes on.
    left = [_command(pid) for pid in set(tree(os.getpid())) - before]
    assert [command for command in left if command and b"postgres" not in command] == []
    assert all(
        one["requests"] > 0 for ruled in results["rules"] for policies in ruled["rounds"] for one in policies.values()
    )
    assert {name for ruled in results["rules"] for policies in ruled["rounds"] for name in policies} == {
        "shipped",
        "20",
    }
    (case,) = json.loads(json.dumps(results))["cases"]
    assert [one["contestant"] for one in case["rounds"][0]] == ["sanlian", "bare", "beside"]
    for measured in (*case["rounds"][0], *case["paced"][0]):
        assert measured["requests"] > 0
        assert measured["refused"] == 0
        assert measured["server_cpu"] > 0
    assert "| sanlian |" in report.table(results)
