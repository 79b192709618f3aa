"""Starts a server on loopback: an application in a thread of this process, or a command in a process of its own."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn

from api.http.connection import BoundedConnection
from tests.paths import ROOT

START_SECONDS = 90.0
_STOP_SECONDS = 15.0


class NotStarted(Exception):
    """A server ended, or did not answer in time."""


class Served(NamedTuple):
    """Where an application listens, and a token that it admits."""

    url: str
    port: int
    token: str


@contextmanager
def serve(app: Any, token: str = "") -> Iterator[Served]:
    """Serve an ASGI application in a thread until the block ends. Raises NotStarted."""
    with listen() as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            app, loop="uvloop", http=BoundedConnection, ws="none", log_config=None, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + 20
            while not server.started:
                if not thread.is_alive() or time.monotonic() > deadline:
                    raise NotStarted("the application did not start")
                time.sleep(0.01)
            yield Served(f"http://127.0.0.1:{port}", port, token)
        finally:
            server.should_exit = True
            thread.join(timeout=20)


def listen(port: int = 0) -> socket.socket:
    """A socket bound to a port of loopback; 0: to a free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def free_port() -> int:
    """A port that nobody listens on now."""
    with listen() as probe:
        return int(probe.getsockname()[1])


class ServerProcess:
    """A server in a process group of its own, as in a terminal: Ctrl-C goes to all of it, and all of it ends with it.

    `environment` is added to that of this process, of which no setting of the product is passed on.
    """

    def __init__(
        self, command: Sequence[str], port: int, log: Path, environment: Mapping[str, str], cwd: Path = ROOT
    ) -> None:
        self.port, self._log = port, log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SANLIAN_")}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env={**inherited, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait(self, path: str | None = "/health/ready", seconds: float = START_SECONDS) -> None:
        """Wait until the path answers 200; without a path, until the port is open. Raises NotStarted with the end of what it printed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._answers(path):
                return
            time.sleep(0.02)
        raise NotStarted(self.output[-2000:])

    def _answers(self, path: str | None) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.connect()
            if path is None:
                return True
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def interrupt(self, seconds: float = 60) -> int:
        """Press Ctrl-C; the exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End the process, and it alone, as `kill -9` does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        """End the process group, in order and then by force."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_SECONDS)
                break
        # Whatever the leader left behind in its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def start_demo(home: Path, log: Path, checkout: Path = ROOT) -> ServerProcess:
    """`python -m api demo` of a checkout on a free port. It may not be ready yet."""
    port = free_port()
    command = [sys.executable, "-m", "api", "demo", "--port", str(port)]
    return ServerProcess(command, port, log, {"SANLIAN_HOME": str(home)}, checkout)
