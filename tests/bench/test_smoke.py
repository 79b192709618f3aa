"""The benchmark itself, for a few seconds: the county, two contestants that agree, a load, a report; and nothing left behind."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded import EmbeddedServer
from tests.bench import report, wrk
from tests.bench.bench import Bench, Options
from tests.bench.meter import tree


@pytest.fixture
def home() -> Iterator[Path]:
    """A home for the database. Not pytest's own directory: root's server runs under another account, which has to reach it."""
    path = Path(tempfile.mkdtemp(prefix="sanlian-bench-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_a_short_run_measures_the_product_and_the_bare_route(home: Path, tmp_path: Path) -> None:
    try:
        wrk.find()
    except wrk.LoadFailed as missing:
        pytest.skip(str(missing))
    options = Options(
        workloads=("Q2",), roles=("mediator",), contestants=("sanlian", "bare"), rows=(1000,), pages=(50,), workers=(1,), rules=(),
        rounds=1, seconds=1.0, paced=True, home=home, output=tmp_path,
    )  # fmt: skip
    before = set(tree(os.getpid()))
    # The benchmark joins a server that does not wait for the disk.
    with EmbeddedServer.start(home, durable=False), Bench(options, tmp_path, lambda text: None) as bench:
        results = bench.run()
    assert set(tree(os.getpid())) <= before
    (case,) = json.loads(json.dumps(results))["cases"]
    product, bare = case["rounds"][0]
    assert (product["contestant"], bare["contestant"]) == ("sanlian", "bare")
    for measured in (*case["rounds"][0], *case["paced"][0]):
        assert measured["requests"] > 0
        assert measured["server_cpu"] > 0
    assert "| sanlian |" in report.table(results)
