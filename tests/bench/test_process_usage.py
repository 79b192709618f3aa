"""CPU and memory of a process, of its children, and of those that have ended."""

import os
import subprocess
import sys

from tests.bench import process_usage


def test_a_name_with_brackets_is_no_field() -> None:
    stat = process_usage.parse_stat("77 (a ) b (c) S 12 77 77 0 -1 4194304 10 0 0 0 250 50 30 20 20 0 1 0 99 1 1")
    assert (stat.parent, stat.own, stat.ended) == (12, 300, 50)


def test_children_count_also_after_their_end() -> None:
    before = process_usage.cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", "for i in range(4_000_000): pass"], check=True, timeout=60)
    assert process_usage.cpu_seconds(os.getpid()) > before
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in process_usage.tree(os.getpid())
        assert child.stdin is not None
        child.stdin.write(b"\n")
    assert child.pid not in process_usage.tree(os.getpid())


def test_memory_is_shared_out() -> None:
    resident, shared = process_usage.memory(os.getpid())
    assert 10 < shared <= resident
