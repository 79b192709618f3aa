"""`migrate` at the terminal, where a table stays locked."""

import asyncio
import base64

import asyncpg
import pytest

from api.__main__ import main
from api.cli.terminal import FAILED
from db.postgres.address import Address


def test_a_locked_table_is_told_in_one_line(
    database: Address, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(
        "SANLIAN_DATABASE_URL", f"postgresql://{database.user}@/{database.database}?host={database.host}"
    )
    monkeypatch.setenv("SANLIAN_SECRET_KEY", base64.b64encode(bytes(32)).decode())
    monkeypatch.setattr("db.postgres.migrate.LOCK_SECONDS", 0.5)
    monkeypatch.setattr("sys.argv", ["api", "migrate"])
    with asyncio.Runner() as runner:
        other = runner.run(_lock(database))
        with pytest.raises(SystemExit) as ended:
            main()
        runner.run(other.close())
    assert ended.value.code == FAILED
    printed = capsys.readouterr().err
    assert "有会话占用着要迁移的表" in printed
    assert "Traceback" not in printed
    assert printed.count("\n") == 1


async def _lock(database: Address) -> "asyncpg.Connection[asyncpg.Record]":
    """A session that holds the table of alembic, which every migration reads first."""
    connection = await asyncpg.connect(**database.connect_arguments())
    await connection.execute("BEGIN; LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
    return connection
