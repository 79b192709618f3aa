"""The command line: help, exit codes, and one line of message instead of a traceback."""

import asyncio
import socket

import pytest

from api import settings
from api.settings import Settings
from db.postgres.address import Address
from tests.api.cli.terminal import KEY, call, call_process, connect, end_main
from tests.paths import ROOT
from tests.server import free_port


def test_help_lists_every_setting_and_command() -> None:
    result = call_process("--help", COLUMNS="200")
    assert result.returncode == 0
    for name, _, description in settings.describe():
        assert name in result.stdout
        assert description[:10] in result.stdout
    assert len(settings.describe()) == len(Settings.model_fields)
    for command in ("demo", "serve", "migrate", "daily", "schema", "policy", "token"):
        assert command in result.stdout


def test_demo_listens_to_this_machine_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SANLIAN_HOST", "0.0.0.0")
    assert end_main(monkeypatch, "demo") == 2
    assert "只监听本机" in capsys.readouterr().err
    assert not settings.load().home.exists()


def test_demo_leaves_a_real_database_alone(
    at_database: Address, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_main(monkeypatch, "demo") == 2
    assert "SANLIAN_DATABASE_URL" in capsys.readouterr().err


def test_port_in_use_is_reported_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert end_main(monkeypatch, "demo", "--port", str(port)) == 2
    assert f"端口 {port} 已被占用" in capsys.readouterr().err
    assert not settings.load().home.exists()


def test_unreachable_database_is_reported_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SANLIAN_DATABASE_URL", "postgresql://u:geheim@127.0.0.1:1/d")
    monkeypatch.setenv("SANLIAN_SECRET_KEY", KEY)
    assert end_main(monkeypatch, "token", "list") == 1
    printed = capsys.readouterr().err
    assert printed.startswith("连不上数据库")
    assert "geheim" not in printed


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_reports_an_unreachable_database_in_one_line(workers: str) -> None:
    ended = call_process(
        "serve",
        SANLIAN_DATABASE_URL="postgresql://u:geheim@127.0.0.1:1/d",
        SANLIAN_SECRET_KEY=KEY,
        SANLIAN_PORT=str(free_port()),
        SANLIAN_WORKERS=workers,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("连不上数据库")
    assert ended.stderr.count("\n") == 1
    assert "geheim" not in ended.stderr


def test_serve_reports_a_database_that_does_not_exist(at_database: Address) -> None:
    url = f"postgresql://{at_database.user}@/nowhere?host={at_database.host}"
    ended = call_process("serve", SANLIAN_DATABASE_URL=url, SANLIAN_PORT=str(free_port()))
    assert ended.returncode == 1
    assert ended.stderr == "数据库还没有建好，请先执行 python -m api migrate 或 python -m api demo。\n"


def test_database_that_was_never_migrated_is_reported(at_database: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://{at_database.user}@/postgres?host={at_database.host}"
    monkeypatch.setenv("SANLIAN_DATABASE_URL", url)
    result = call("token", "list")
    assert result.exit_code == 1
    assert "请先执行" in result.output


def test_daily_prints_how_many_alerts_it_opened(at_database: Address) -> None:
    assert call("migrate").exit_code == 0
    ended = call("daily")
    assert ended.exit_code == 0
    first, *notices = ended.output.splitlines()
    assert first == "新产生预警 0 条。"
    # The years whose holidays are not announced yet.
    assert all(line.startswith("注意：") for line in notices)


def test_migrate_makes_the_database_and_may_be_repeated(at_database: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{at_database.database}_new"
    monkeypatch.setenv("SANLIAN_DATABASE_URL", f"postgresql://{at_database.user}@/{name}?host={at_database.host}")
    assert call("migrate").exit_code == 0
    assert call("migrate").exit_code == 0
    assert call("token", "list").exit_code == 0

    async def drop() -> None:
        connection = await connect(at_database.with_database("postgres"))
        await connection.execute(f"DROP DATABASE {name}")
        await connection.close()

    asyncio.run(drop())


def test_schema_print_is_the_contract_of_the_repository() -> None:
    assert call("schema", "print").output == (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8")
