"""Load from a separate process: wrk with a script that asks the questions in turn, and what it says of them at the end."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THREADS, CONNECTIONS = 1, 16
PACED_CONNECTIONS = 64
_MARK = "sanlian-bench "

# `delay` hands out the places of one schedule, so that requests leave at the offered rate whatever the answers take, as long as a
# connection is free. `@@` in a body becomes a number that never comes again.
_SCRIPT = """
local ffi = require("ffi")
ffi.cdef [[ typedef struct { long seconds; long nanoseconds; } moment; int clock_gettime(int, moment *); ]]
local moment = ffi.new("moment")
local function now()
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) * 1000 + tonumber(moment.nanoseconds) / 1e6
end
local asked, unique, at = {}, {}, 0
local interval, slot, once, run = 0, 0, false, ""
function init(arguments)
  for line in io.lines(arguments[1]) do
    local path, headers, body = line:match("^(.-)\\t(.-)\\t(.*)$")
    local given = { ["Content-Type"] = "application/json" }
    for name, value in headers:gmatch("([^=;]+)=([^;]*)") do given[name] = value end
    local text = wrk.format("POST", path, given, body)
    asked[#asked + 1] = text
    unique[#asked] = body:find("@@", 1, true) and { path, given, body } or false
  end
  at = tonumber(arguments[2]) % #asked
  interval, once, run = tonumber(arguments[3]), arguments[4] == "once", arguments[5]
  slot = now()
end
count = 0
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function request()
  at = at % #asked + 1
  count = count + 1
  if once and count > #asked then wrk.thread:stop() end
  local part = unique[at]
  if part then return wrk.format("POST", part[1], part[2], (part[3]:gsub("@@", run .. "-" .. count))) end
  return asked[at]
end
-- PACE
function done(summary, latency, requests)
  local errors, sent = summary.errors, 0
  for _, thread in ipairs(threads) do sent = sent + thread:get("count") end
  io.write(string.format('MARK{"requests":%d,"sent":%d,"micros":%d,"p50":%d,"p90":%d,"p99":%d,"max":%d,"refused":%d,"broken":%d}\\n',
    summary.requests, sent, summary.duration, latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""
_PACE = """
function delay()
  slot = slot + interval
  local wait = slot - now()
  if wait < 0 then return 0 end
  return math.floor(wait + 0.5)
end
"""


class LoadFailed(Exception):
    """The load could not be made, or was not answered as it should be."""


@dataclass(frozen=True)
class Load:
    """What wrk saw: times in milliseconds."""

    requests: int
    sent: int
    seconds: float
    p50: float
    p90: float
    p99: float
    longest: float
    refused: int
    broken: int

    @property
    def rate(self) -> float:
        """Requests a second that were answered as they should be."""
        return (self.requests - self.refused) / self.seconds if self.seconds else 0.0

    @property
    def work(self) -> int:
        """Requests that the server has worked for, with those that were under way when time was up: it goes on with them."""
        return max(1, self.requests, min(self.sent, self.requests + PACED_CONNECTIONS))


def parse(output: str) -> Load:
    """The line that our script writes at the end. Raises LoadFailed without it."""
    for line in output.splitlines():
        if line.startswith(_MARK):
            summary: dict[str, Any] = json.loads(line.removeprefix(_MARK))
            p50, p90, p99, longest = (summary[name] / 1000 for name in ("p50", "p90", "p99", "max"))
            seconds = summary["micros"] / 1e6
            return Load(
                summary["requests"],
                summary["sent"],
                seconds,
                p50,
                p90,
                p99,
                longest,
                summary["refused"],
                summary["broken"],
            )
    raise LoadFailed("wrk said nothing: " + output.strip()[-300:])


def find() -> str:
    """Where wrk is. Raises LoadFailed."""
    program = shutil.which("wrk")
    if program is None:
        raise LoadFailed("wrk is missing (Debian: apt-get install wrk)")
    return program


def write_requests(path: Path, requests: list[tuple[str, dict[str, str], bytes]]) -> None:
    """A file of (path, headers, body), one a line, as the script reads it."""
    lines = []
    for address, headers, body in requests:
        text = body.decode()
        if "\n" in text or "\t" in text:
            raise ValueError("a request must fit on a line")
        lines.append("\t".join((address, ";".join(f"{name}={value}" for name, value in headers.items()), text)))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(
    port: int,
    requests: Path,
    seconds: float,
    *,
    start: int = 0,
    rate: float | None = None,
    once: bool = False,
    name: str = "",
) -> Load:
    """Load the server on the port for some seconds. `rate`: requests a second that are offered, instead of as many as go.
    `once`: each request one time, and then the end."""
    script = requests.with_suffix(".lua")
    script.write_text(_SCRIPT.replace("-- PACE", _PACE if rate else "").replace("MARK", _MARK), encoding="utf-8")
    connections = PACED_CONNECTIONS if rate else CONNECTIONS
    command = [
        find(), f"-t{THREADS}", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "20s", "-s", str(script),
        f"http://127.0.0.1:{port}", "--", str(requests), str(start), str(1000 / rate if rate else 0), "once" if once else "round",
        name,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    if done.returncode != 0:
        raise LoadFailed(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    return parse(done.stdout)
