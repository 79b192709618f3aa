"""The PostgreSQL process of an embedded cluster: initialised, spawned, awaited, joined, ended. It takes no lock."""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from db.postgres.embedded.placement import (
    PORT,
    Account,
    EmbeddedServerError,
    find_programs,
    socket_directory,
)

SUPERUSER = "sanlian"
OWNER = "postgres.owner"  # held by whoever started the server, until it is stopped

_START_SECONDS = 120.0  # a start after a crash replays the log
_STOP_SECONDS = 30.0
_LOG_BYTES = 5_000_000  # a longer log is emptied at the next start
_PR_SET_PDEATHSIG = 1  # of prctl(2), linux/prctl.h

# For a laptop with a million rows. Errors are logged without their statement or row: both may hold
# personal data, and the log is plain text.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "4GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
}
# For tests: faster, and gone after a crash of the machine.
_VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class _Running:
    """What a server says of itself in its postmaster.pid."""

    pid: int
    sockets: Path
    state: str


def launch(home: Path, base: Path, account: Account | None, durable: bool) -> "tuple[subprocess.Popen[bytes], Path]":
    """Start the server of the cluster in `base`, making the cluster if need be; its process and the directory of its socket.

    `durable`: whether a commit survives a crash of the machine. Raises EmbeddedServerError with the end of the log.
    """
    if threading.current_thread() is not threading.main_thread():
        # On Linux the "parent" whose death ends the server is a thread, and only the main one lives long enough.
        raise RuntimeError("start the embedded server from the main thread")
    programs = find_programs(base, account)
    data = base / "data"
    sockets = socket_directory(base, account)
    settings = _SETTINGS if durable else _SETTINGS | _VOLATILE
    with _open_log(home / "postgres.log") as log:
        begin = log.tell()
        try:
            if not data.exists():
                _initialise(programs, data, account, log)
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            command: list[str | Path] = [programs / "postgres", "-D", data, "-k", sockets, "-p", str(PORT), *options]
            process = _spawn(command, account, log)
            try:
                _await_ready(process, data)
            except BaseException:
                end(process)
                raise
        except _ProcessFailed as failure:
            raise EmbeddedServerError(
                f"内置数据库{failure}。日志 {home / 'postgres.log'} 的末尾：\n{_tail(home / 'postgres.log', begin)}\n"
                f"数据在 {base}：请保留整个目录，照日志查明原因后再启动。"
            ) from None
    return process, sockets


class _ProcessFailed(Exception):
    """A program of the wheel failed; the log says why. The text (Chinese) completes a sentence about the database."""


def _initialise(programs: Path, data: Path, account: Account | None, log: IO[bytes]) -> None:
    """Create the cluster beside its final place and rename: a half-made one is never mistaken for a whole one."""
    fresh = data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account is not None:
        os.chown(fresh, account.uid, account.gid)
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = [f"--username={SUPERUSER}", "--auth=trust"]
    quick = ["--no-sync", "--no-instructions"]
    process = _spawn([programs / "initdb", "-D", fresh, *locale, *access, *quick], account, log)
    try:
        if process.wait():
            raise _ProcessFailed("无法初始化")
    except BaseException:
        process.kill()
        process.wait()
        raise
    fresh.rename(data)


def _spawn(command: Sequence[str | Path], account: Account | None, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    with warnings.catch_warnings():
        # Forking beside other threads is warned of; the child only calls prctl before it becomes another program.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(
            command,
            cwd="/",
            # A clean environment: PGDATA, PGPORT and the like of the shell must not reach the server.
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C at the terminal reaches this process alone, which then stops the server in order.
            start_new_session=True,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - see above
            **({} if account is None else account.drop()),
        )


def _die_with_parent() -> Callable[[], None] | None:
    """For the child, before it becomes the server: ask the kernel for a fast shutdown when the parent dies, even by SIGKILL."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return arrange


def _open_log(path: Path) -> IO[bytes]:
    # SECURITY: opened here and handed over as a descriptor, so the server's account needs no right on the home.
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if os.fstat(handle).st_size > _LOG_BYTES:
        os.truncate(handle, 0)
    log = open(handle, "ab", buffering=0)  # noqa: SIM115 - the caller closes it
    log.seek(0, os.SEEK_END)
    return log


def _tail(path: Path, begin: int) -> str:
    with path.open("rb") as log:
        log.seek(begin)
        lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-15:])


def _await_ready(process: "subprocess.Popen[bytes]", data: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None:
        running = _read_pid_file(data)
        if running is not None and running.pid == process.pid and running.state == "ready":
            return
        if time.monotonic() > deadline:
            raise _ProcessFailed(f"在 {_START_SECONDS:.0f} 秒内没有就绪")
        time.sleep(0.01)
    raise _ProcessFailed("没有启动成功")


def join(home: Path, data: Path) -> _Running | None:
    """The server that answers on this data directory. Waits for one that goes down, as it does without its owner."""
    deadline = time.monotonic() + _STOP_SECONDS
    while (running := _read_pid_file(data)) is not None and _is_postgres(running.pid):
        if running.state == "ready" and _answers(running.sockets):
            if _is_held(home / OWNER):
                return running
            if sys.platform != "linux":  # where no kernel tells it that its owner was killed
                os.kill(running.pid, signal.SIGINT)
        if time.monotonic() > deadline:
            break  # let PostgreSQL itself judge whether the file is stale
        time.sleep(0.05)
    return None


def _is_held(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _read_pid_file(data: Path) -> _Running | None:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return _Running(int(lines[0]), Path(lines[4]), lines[7].strip())
    except (FileNotFoundError, IndexError, ValueError):
        return None  # absent, or still being written


def _is_postgres(pid: int) -> bool:
    """Whether the process lives and, where that can be seen, is a PostgreSQL: numbers are used again."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
    except OSError:
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _answers(sockets: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(sockets / f".s.PGSQL.{PORT}"))
        except PermissionError:
            raise EmbeddedServerError("内置数据库由另一个用户在运行，当前用户不能使用它。") from None
        except OSError:
            return False
    return True


def end(process: "subprocess.Popen[bytes]") -> None:
    """Fast shutdown; if that takes too long, without a checkpoint: PostgreSQL then repairs itself at the next start."""
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
