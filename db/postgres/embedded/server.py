"""Runs a private PostgreSQL 18 out of an installed wheel: one cluster per home directory, Unix socket only.

It never opens a port, never creates a system user, never changes the mode of a directory it did not make, and never
outlives the process that started it. It knows nothing of what is stored in the cluster.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from db.postgres.address import Address
from db.postgres.embedded.placement import (
    PORT,
    SHORT,
    EmbeddedServerError,
    choose_account,
    find_base,
    make_base,
    make_home,
)
from db.postgres.embedded.process import OWNER, SUPERUSER, end, join, launch

DATABASE = "sanlian"

_LOCK_SECONDS = 180.0
_STARTING = "postgres.lock"  # held by whoever is starting, erasing, or briefly using the server of a home


class EmbeddedServer:
    """A running server. `stop()` ends it if this object started it, and leaves it alone if it was only joined."""

    def __init__(self, sockets: Path, process: "subprocess.Popen[bytes] | None", *locks: "_Lock") -> None:
        self._sockets = sockets
        self._process = process
        self._locks = locks
        if process is not None:
            atexit.register(self.stop)

    @classmethod
    def start(cls, home: Path, *, durable: bool = True, brief: bool = False) -> Self:
        """Join the server of `home` or start one, creating the cluster if there is none.

        A `brief` caller (a command that ends within seconds) makes later callers wait for its end, so that nobody
        joins a server that is about to stop. A server that is joined keeps the durability it was started with.
        Raises EmbeddedServerError.
        """
        home = home.absolute()
        make_home(home)
        lock = _Lock(home / _STARTING)
        owner: _Lock | None = None
        try:
            base = find_base(home)
            account = choose_account(base)
            if base is not None and (running := join(home, base / "data")):
                lock.release()
                return cls(running.sockets, None)
            if base is None or base.parent == home:
                base = make_base(home, account)
            owner = _Lock(home / OWNER)
            process, sockets = launch(home, base, account, durable)
        except BaseException as error:
            if owner is not None:
                owner.release()
            lock.release()
            if isinstance(error, OSError):
                raise EmbeddedServerError(f"内置数据库无法启动：{error}") from error
            raise
        if not brief:
            lock.release()
        return cls(sockets, process, owner, lock)

    @property
    def address(self) -> Address:
        """Where to connect, as the superuser of the cluster."""
        return Address(host=str(self._sockets), port=PORT, database=DATABASE, user=SUPERUSER)

    @property
    def joined(self) -> bool:
        """Whether another process owns the server."""
        return self._process is None

    def stop(self) -> None:
        """Shut down in order (open transactions are rolled back) and wait. Safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            atexit.unregister(self.stop)
            end(process)
            if self._sockets.parent == SHORT:
                with contextlib.suppress(OSError):
                    self._sockets.rmdir()
        for lock in self._locks:
            lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def erase(home: Path) -> None:
    """Remove the cluster of `home` and all its data, wherever it was placed. Raises EmbeddedServerError while a server runs on it."""
    home = home.absolute()
    if not home.is_dir():
        return
    lock = _Lock(home / _STARTING)
    try:
        base = find_base(home)
        if base is None:
            return
        if join(home, base / "data"):
            raise EmbeddedServerError("内置数据库正在另一个终端里运行，请先在那里按 Ctrl-C 停下。")
        shutil.rmtree(base)
        (home / "postgres.path").unlink(missing_ok=True)
        (home / "postgres.log").unlink(missing_ok=True)
    except OSError as error:
        raise EmbeddedServerError(f"旧的内置数据库无法删除：{error}") from error
    finally:
        lock.release()


class _Lock:
    """A file that at most one process locks at a time (flock); the kernel releases it when that process ends."""

    def __init__(self, path: Path) -> None:
        try:
            self._handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise EmbeddedServerError(
                f"{path} 无法打开：{error.strerror}。请用原来的用户，或换 SANLIAN_HOME。"
            ) from error
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(self._handle)
                    raise EmbeddedServerError(f"另一个进程占着 {path.parent} 的内置数据库太久，请稍后再试。") from None
                time.sleep(0.05)
            except BaseException:
                os.close(self._handle)
                raise

    def release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
