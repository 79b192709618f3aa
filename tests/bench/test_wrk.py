"""What wrk says at the end of a load, and the requests that it is given."""

from pathlib import Path

import pytest

from tests.bench import wrk

_OUTPUT = """Running 1s test @ http://127.0.0.1:40001
  1 threads and 16 connections
1202 requests in 1.00s, 4.10MB read
sanlian-bench {"requests":1202,"sent":1218,"micros":1001000,"p50":12100,"p90":17000,"p99":29000,"max":41000,"refused":2,"broken":1}
"""


def test_the_line_of_the_script_is_read() -> None:
    load = wrk.parse(_OUTPUT)
    assert (load.requests, load.sent, load.refused, load.broken) == (1202, 1218, 2, 1)
    assert (load.p50, load.p90, load.p99, load.longest) == (12.1, 17.0, 29.0, 41.0)
    assert load.rate == pytest.approx(1198.8, abs=0.1)


def test_what_was_under_way_counts_as_work() -> None:
    """A slow server has worked for requests that were not answered in time."""
    assert wrk.parse(_OUTPUT).work == 1218
    nothing = wrk.Load(0, 16, 3.0, 0, 0, 0, 0, 0, 0)
    assert (nothing.rate, nothing.work) == (0, 16)
    assert wrk.Load(0, 0, 0.0, 0, 0, 0, 0, 0, 0).rate == 0


@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:1 Connection refused\n", "Requests/sec: 12\n"])
def test_silence_is_a_failure(output: str) -> None:
    with pytest.raises(wrk.LoadFailed, match="wrk said nothing"):
        wrk.parse(output)


def test_a_request_stands_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "requests.txt"
    wrk.write_requests(path, [("/a", {"X-Caller": "court 1", "Content-Type": "application/json"}, '{"名":1}'.encode())])
    assert path.read_text() == '/a\tX-Caller=court 1;Content-Type=application/json\t{"名":1}\n'
    with pytest.raises(ValueError, match="on a line"):
        wrk.write_requests(path, [("/a", {}, b"{\n}")])
