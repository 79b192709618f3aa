"""The launcher, with real servers: one cluster per home, joined by others, gone with its owner."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from db.postgres.databases import ensure_database
from db.postgres.embedded.placement import EmbeddedServerError
from db.postgres.embedded.server import EmbeddedServer, erase
from tests.paths import ROOT

# Only Linux signals a child when its parent dies (PR_SET_PDEATHSIG, see db/postgres/embedded/process.py) and shows processes in /proc: what
# these two look at does not exist elsewhere. Wherever the service is deployed, they run.
ON_LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="rests on a signal of the kernel and on /proc, which only Linux has"
)
# PostgreSQL refuses to run as root, so root's server has another account and another place; nobody else may take an account or give a
# directory away (setuid, chown), so for others there is nothing to test. `.ci/run` in a container runs as root.
AS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may change accounts and give a directory to somebody else"
)
OWNER = """
import sys, time
from pathlib import Path
from db.postgres.embedded.server import EmbeddedServer
server = EmbeddedServer.start(Path(sys.argv[1]), durable=False, brief="brief" in sys.argv)
print("up", flush=True)
time.sleep(float(sys.argv[2]))
server.stop()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="sanlian-test-"))
    place.chmod(0o711)
    yield place / "home"
    erase(place / "home")
    subprocess.run(["rm", "-rf", place], check=True)


@pytest.fixture
def owners() -> Iterator[list["subprocess.Popen[str]"]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def own(home: Path, seconds: float, *more: str, **options: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", OWNER, str(home), str(seconds), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, **options)  # type: ignore[call-overload]
    assert process.stdout.readline() == "up\n"
    return process  # type: ignore[no-any-return]


def ask(server: EmbeddedServer, question: str) -> object:
    async def answer() -> object:
        await ensure_database(server.address)
        connection = await asyncpg.connect(**server.address.connect_arguments())
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(answer())


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":  # not yet reaped by init
                return True
        except FileNotFoundError:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


def test_keeps_its_data_between_two_starts(home: Path) -> None:
    with EmbeddedServer.start(home, durable=False) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
    with EmbeddedServer.start(home, durable=False) as server:
        assert ask(server, "SELECT n FROM kept") == 7


def test_is_an_eighteen_in_utf8_ordered_by_code_point(home: Path) -> None:
    with EmbeddedServer.start(home, durable=False) as server:
        assert str(ask(server, "SHOW server_version")).startswith("18.")
        assert ask(server, "SHOW timezone") == "UTC"
        query = "SELECT encoding::int || datlocprovider::text || datlocale FROM pg_database WHERE datname = 'sanlian'"
        assert ask(server, query) == "6bC.UTF-8"


def test_listens_only_on_a_socket_in_a_private_directory(home: Path) -> None:
    with EmbeddedServer.start(home, durable=False) as server:
        assert ask(server, "SHOW listen_addresses") == ""
        sockets = Path(server.address.host)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 107


def test_only_tests_give_up_durability(home: Path) -> None:
    with EmbeddedServer.start(home) as server:
        assert ask(server, "SHOW fsync") == "on"
    with EmbeddedServer.start(home, durable=False) as server:
        assert ask(server, "SHOW fsync") == "off"


def test_stop_ends_the_server_and_may_be_said_twice(home: Path) -> None:
    server = EmbeddedServer.start(home, durable=False)
    pid = postmaster(home / "postgres" / "data")
    server.stop()
    server.stop()
    assert gone(pid, 0)


def test_another_process_joins_and_leaves_the_server_running(home: Path) -> None:
    with EmbeddedServer.start(home, durable=False) as owner:
        other = EmbeddedServer.start(home)
        assert other.joined
        assert other.address == owner.address
        other.stop()
        assert ask(owner, "SELECT 1") == 1


def test_nobody_joins_a_brief_server(home: Path, owners: list["subprocess.Popen[str]"]) -> None:
    owners.append(own(home, 0.6, "brief"))
    with EmbeddedServer.start(home, durable=False) as server:
        assert not server.joined
        assert ask(server, "SELECT 1") == 1


@ON_LINUX
def test_server_goes_when_its_owner_is_killed_and_the_next_start_takes_over(
    home: Path, owners: list["subprocess.Popen[str]"]
) -> None:
    owners.append(own(home, 60))
    pid = postmaster(home / "postgres" / "data")
    owners[0].kill()
    owners[0].wait()
    with EmbeddedServer.start(home, durable=False) as server:
        assert not server.joined
        assert gone(pid, 0)


@ON_LINUX
def test_interrupt_of_the_terminal_does_not_reach_the_server(home: Path, owners: list["subprocess.Popen[str]"]) -> None:
    owners.append(own(home, 60, process_group=0))
    pid = postmaster(home / "postgres" / "data")
    assert os.getpgid(pid) != owners[0].pid
    assert os.getsid(pid) != os.getsid(0)
    os.killpg(owners[0].pid, signal.SIGINT)  # what a terminal does; the owner's own way out then stops the server
    assert gone(pid)


def test_deep_home_gets_a_short_socket(home: Path) -> None:
    deep = home / ("很深的目录" * 5) / ("directory" * 9)
    try:
        with EmbeddedServer.start(deep, durable=False) as server:
            assert len(os.fsencode(Path(server.address.host) / ".s.PGSQL.5432")) <= 107
            assert ask(server, "SELECT 1") == 1
            sockets = Path(server.address.host)
        assert not sockets.exists()
    finally:
        erase(deep)


def test_erase_removes_everything_but_not_a_running_server(home: Path) -> None:
    with EmbeddedServer.start(home, durable=False) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
        with pytest.raises(EmbeddedServerError, match="正在另一个终端里运行"):
            erase(home)
    erase(home)
    with EmbeddedServer.start(home, durable=False) as server:
        assert ask(server, "SELECT to_regclass('kept')::text") is None


def test_failed_start_tells_the_reason_from_the_log(home: Path) -> None:
    EmbeddedServer.start(home, durable=False).stop()
    (home / "postgres" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedServerError, match=r"(?s)postgres\.log.*FATAL.*请保留整个目录") as failure:
        EmbeddedServer.start(home, durable=False)
    # Whoever reads it has data to lose.
    assert str(home / "postgres") in str(failure.value)
    assert "--fresh" not in str(failure.value)


def test_half_made_cluster_is_made_again(home: Path) -> None:
    (home / "postgres" / "data.new").mkdir(parents=True)
    (home / "postgres" / "data.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedServer.start(home, durable=False) as server:
        assert ask(server, "SELECT 1") == 1


@AS_ROOT
def test_root_hands_the_server_to_an_unprivileged_account(home: Path) -> None:
    with EmbeddedServer.start(home, durable=False):
        data = home / "postgres" / "data"
        status = Path(f"/proc/{postmaster(data)}/status").read_text()
        owner = data.stat().st_uid
        assert owner != 0
        assert f"Uid:\t{owner}\t{owner}\t{owner}\t{owner}" in status
        assert "Groups:\t \n" in status


@AS_ROOT
def test_private_home_of_root_keeps_its_mode_and_the_cluster_lies_aside(home: Path) -> None:
    home.mkdir(mode=0o700)
    with EmbeddedServer.start(home, durable=False) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
        base = Path((home / "postgres.path").read_text().strip())
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    with EmbeddedServer.start(home, durable=False) as server:
        assert ask(server, "SELECT n FROM kept") == 7
    erase(home)
    assert not base.exists()
    assert sorted(path.name for path in home.iterdir()) == ["postgres.lock", "postgres.owner"]


@AS_ROOT
def test_pointer_to_a_directory_of_somebody_else_is_not_believed(home: Path) -> None:
    home.mkdir()
    strange = Path(tempfile.mkdtemp(prefix="sanlian-", dir="/var/tmp"))
    os.chown(strange, 65534, 65534)
    (home / "postgres.path").write_text(f"{strange}\n")
    try:
        with pytest.raises(EmbeddedServerError, match="不是当前用户"):
            EmbeddedServer.start(home)
        with pytest.raises(EmbeddedServerError, match="不是当前用户"):
            erase(home)
        assert strange.exists()
    finally:
        (home / "postgres.path").unlink()
        strange.rmdir()


def test_socket_directory_made_by_somebody_else_is_refused(home: Path) -> None:
    EmbeddedServer.start(home, durable=False).stop()
    (home / "postgres" / "run").chmod(0o755)
    with pytest.raises(EmbeddedServerError, match="不是只属于"):
        EmbeddedServer.start(home, durable=False)
