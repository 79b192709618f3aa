"""Reads from /proc what processes have used: CPU of a tree of them with those that have ended, and memory."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True)
class _Stat:
    parent: int
    own: int  # ticks
    ended: int  # ticks of children that have ended and were waited for


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return parse_stat(text)


def parse_stat(text: str) -> _Stat:
    """One line of /proc/<pid>/stat. The name may hold spaces and brackets: the last bracket ends it."""
    rest = text.rpartition(")")[2].split()
    return _Stat(int(rest[1]), int(rest[11]) + int(rest[12]), int(rest[13]) + int(rest[14]))


def tree(root: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            children.setdefault(stat.parent, []).append(int(entry.name))
    pids, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        pids.append(pid)
        waiting += children.get(pid, [])
    return pids


def cpu_seconds(root: int) -> float:
    """CPU time of the process and its descendants, with those that have ended since they were started."""
    stats = [stat for pid in tree(root) if (stat := _stat(pid)) is not None]
    return sum(stat.own + stat.ended for stat in stats) / _TICKS


def memory(root: int) -> tuple[float, float]:
    """Resident and proportional megabytes of the process and its descendants."""
    resident = shared = 0.0
    for pid in tree(root):
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        sizes = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
        resident += sizes.get("Rss:", 0) / 1024
        shared += sizes.get("Pss:", 0) / 1024
    return resident, shared
