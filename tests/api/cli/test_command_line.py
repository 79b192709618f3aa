"""The command line and its settings: what it says, with which exit code, and what it never says."""

import asyncio
import base64
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from api import settings
from api.__main__ import app
from api.__main__ import main as run_main
from api.settings import BadSettings, Settings
from db.county.people import PRINCIPALS
from db.identity import tokens
from db.postgres.address import Address
from policies.compile import POLICY_PATH
from tests.paths import ROOT

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(settings.PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SANLIAN_HOME", str(tmp_path / "home"))


@pytest.fixture
def at_database(database: Address, monkeypatch: pytest.MonkeyPatch) -> Address:
    """The commands of this test use a migrated database of the session's server."""
    url = f"postgresql://{database.user}@/{database.database}?host={database.host}"
    assert Address.parse(url) == database
    monkeypatch.setenv("SANLIAN_DATABASE_URL", url)
    monkeypatch.setenv("SANLIAN_SECRET_KEY", KEY)
    return database


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def call_process(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "api", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, timeout=60, check=False
    )


async def connect(address: Address) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(**address.connect_arguments())


async def add_person(connection: "asyncpg.Connection[asyncpg.Record]", name: str) -> UUID:
    person: UUID = await connection.fetchval("INSERT INTO person (name) VALUES ($1) RETURNING id", name)
    return person


def test_help_lists_every_setting_and_command() -> None:
    result = call_process("--help", COLUMNS="200")
    assert result.returncode == 0
    for name, _, description in settings.describe():
        assert name in result.stdout
        assert description[:10] in result.stdout
    assert len(settings.describe()) == len(Settings.model_fields)
    for command in ("demo", "serve", "migrate", "daily", "schema", "policy", "token"):
        assert command in result.stdout


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "x", "SANLIAN_PORT 应为整数"),
        ("PORT", "70000", "SANLIAN_PORT 不能大于 65535"),
        ("WORKERS", "0", "SANLIAN_WORKERS 不能小于 1"),
        ("FAST_PATH", "ja", "SANLIAN_FAST_PATH 应为 true 或 false"),
        ("LOG_LEVEL", "loud", "SANLIAN_LOG_LEVEL 应为"),
        ("PROT", "1", "没有名为 SANLIAN_PROT 的设置"),
        ("SECRET_KEY", "geheim", "SANLIAN_SECRET_KEY 应为 32 字节的 base64"),
        ("DATABASE_URL", "mysql://u:geheim@h/d", "SANLIAN_DATABASE_URL 数据库地址应以 postgresql:// 开头"),
        ("DATABASE_URL", "postgresql://u:geheim@h:x/d", "SANLIAN_DATABASE_URL 数据库地址写得不对"),
        ("DATABASE_URL", "postgresql://u:geheim@h/d?sslrootcert=/x", "不支持的选项：sslrootcert"),
        ("DATABASE_URL", "postgresql://u:geheim@h/d", "必须同时设 SANLIAN_SECRET_KEY"),
    ],
)
def test_bad_setting_is_told_in_one_line_without_its_value(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SANLIAN_{name}", value)
    with pytest.raises(BadSettings) as refused:
        settings.load()
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_bad_setting_ends_the_command_with_2_and_no_traceback() -> None:
    ended = call_process("migrate", SANLIAN_PORT="x")
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", "SANLIAN_PORT 应为整数\n")


def test_empty_setting_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANLIAN_DATABASE_URL", "")
    assert settings.load().address is None


def test_settings_and_addresses_print_no_secret(at_database: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANLIAN_DATABASE_URL", "postgresql://u:geheim@h/d")
    loaded = settings.load()
    assert "geheim" not in repr(loaded)
    assert KEY not in repr(loaded)
    assert loaded.address is not None
    assert "geheim" not in repr(loaded.address)
    assert loaded.address.password == "geheim"


def test_key_is_made_once_and_readable_by_its_owner_only() -> None:
    loaded = settings.load()
    key = loaded.key()
    path = loaded.home / "secret.key"
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert settings.load().key() == key
    path.chmod(0o644)
    with pytest.raises(BadSettings, match="权限太宽"):
        loaded.key()


@pytest.mark.parametrize(
    ("host", "alone"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("h", False)]
)
def test_loopback_is_known(host: str, alone: bool) -> None:
    assert Settings(host=host).loopback is alone


def end_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["api", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_main()
    return ended.value.code


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


def test_port_in_use_is_told_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert end_main(monkeypatch, "demo", "--port", str(port)) == 2
    assert f"端口 {port} 已被占用" in capsys.readouterr().err
    assert not settings.load().home.exists()


def test_unreachable_database_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SANLIAN_DATABASE_URL", "postgresql://u:geheim@127.0.0.1:1/d")
    monkeypatch.setenv("SANLIAN_SECRET_KEY", KEY)
    assert end_main(monkeypatch, "token", "list") == 1
    printed = capsys.readouterr().err
    assert printed.startswith("连不上数据库")
    assert "geheim" not in printed


def test_database_that_was_never_migrated_is_told(at_database: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://{at_database.user}@/postgres?host={at_database.host}"
    monkeypatch.setenv("SANLIAN_DATABASE_URL", url)
    result = call("token", "list")
    assert result.exit_code == 1
    assert "请先执行" in result.output


def test_the_daily_look_tells_how_many_alerts_it_opened(at_database: Address) -> None:
    assert call("migrate").exit_code == 0
    ended = call("daily")
    assert ended.exit_code == 0
    assert ended.output == "新产生预警 0 条。\n"


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


def test_token_is_issued_once_listed_without_its_secret_and_revoked(at_database: Address) -> None:
    async def prepare() -> None:
        connection = await connect(at_database)
        await add_person(connection, "纪明")
        await connection.close()

    async def is_live(text: str) -> bool:
        connection = await connect(at_database)
        live = await tokens.is_valid(connection, text)
        await connection.close()
        return live

    asyncio.run(prepare())
    issued = call("token", "issue", "--person", "纪明", "--days", "3", "--label", "试用")
    assert issued.exit_code == 0
    token = issued.stdout.strip()
    assert asyncio.run(is_live(token))
    listed = call("token", "list").output
    _, prefix, secret = token.split("_", 2)
    assert prefix in listed
    assert secret not in listed
    assert call("token", "revoke", prefix).exit_code == 0
    assert not asyncio.run(is_live(token))
    assert call("token", "revoke", prefix).exit_code == 0  # it stays revoked
    assert call("token", "revoke", "aaaaaaaa").exit_code == 1
    assert "已撤销" in call("token", "list").output


def test_token_is_not_issued_for_a_name_that_is_unknown_or_not_unique(at_database: Address) -> None:
    async def prepare() -> None:
        connection = await connect(at_database)
        await add_person(connection, "重名")
        await add_person(connection, "重名")
        await connection.close()

    asyncio.run(prepare())
    assert "没有名为" in call("token", "issue", "--person", "无此人").output
    result = call("token", "issue", "--person", "重名")
    assert result.exit_code == 1
    assert "2 人" in result.output


async def test_stored_token_is_only_a_hash_and_a_change_of_tokens_moves_the_epoch(database: Address) -> None:
    connection = await connect(database)
    try:
        person = await add_person(connection, "纪明")
        before = await connection.fetchval("SELECT epoch FROM access_epoch")
        issued = await tokens.issue(connection, person_id=person, label="试用", days=1)
        (row,) = await connection.fetch("SELECT * FROM token")
        assert issued.text.split("_", 2)[2] not in str(dict(row))
        presented = tokens.parse(issued.text)
        assert presented is not None
        assert (presented.prefix, presented.hash) == (row["prefix"], row["hash"])
        assert issued.text not in repr(issued) + repr(presented)
        assert await connection.fetchval("SELECT epoch FROM access_epoch") > before
        await connection.execute("UPDATE token SET created_at = now() - interval '2 days', expires_at = now()")
        assert not await tokens.is_valid(connection, issued.text)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "text", ["", "sl_", "sl_abcdefgh_short", "sl_ABCDEFGH_" + "a" * 43, "sl_abcdefgh_" + "a" * 44, "é" * 55]
)
def test_what_is_no_token_is_not_looked_up(text: str) -> None:
    assert tokens.parse(text) is None


def test_policy_check_tells_the_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("# a comment\np, mediator\n", encoding="utf-8")
    result = call("policy", "check", str(file))
    assert result.exit_code == 1
    assert f"{file}:2:4: p 行应有 6 列，实有 1 列" in result.output.replace("\n", "")


def test_first_policy_passes_its_own_check_and_has_a_sheet() -> None:
    assert call("policy", "check", str(ROOT / "policies" / "policy.csv")).exit_code == 0
    result = call("policy", "sheet")
    assert result.exit_code == 0
    assert "人民调解员（mediator）" in result.output


def test_policy_check_of_what_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(b"p, \xff\n")
    assert call("policy", "check", str(file)).exit_code == 2
    assert call("policy", "check", str(tmp_path / "none.csv")).exit_code == 2


def _edited(tmp_path: Path, old: str, new: str) -> str:
    text = (ROOT / "policies" / "policy.csv").read_text(encoding="utf-8")
    assert text.count(old) == 1
    file = tmp_path / "draft.csv"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return str(file)


def test_policy_diff_fails_on_a_widening_and_on_nothing_else(tmp_path: Path) -> None:
    live = str(ROOT / "policies" / "policy.csv")
    draft = _edited(
        tmp_path,
        "p, court, Dispute, read, referred, public|status|money",
        "p, court, Dispute, read, referred, public|status",
    )
    result = call("policy", "diff", draft, live)
    assert result.exit_code == 1
    confirming, both = "向本法庭申请司法确认", "已移送或邀请本单位 或 向本法庭申请司法确认"
    assert result.output == f"+ 法庭：可以看到纠纷的金额的范围扩大，由「{confirming}」变为「{both}」\n"
    result = call("policy", "diff", live, draft)
    assert (result.exit_code, result.output[0]) == (0, "-")
    result = call("policy", "diff", live, live)
    assert (result.exit_code, result.output) == (0, "两份策略的授权相同。\n")
    moved = _edited(
        tmp_path, "p, police, Dispute, opine, referred, -, allow", "p, police, Dispute, opine, reported, -, allow"
    )
    result = call("policy", "diff", live, moved)
    assert (result.exit_code, result.output[0]) == (1, "?")
    assert call("policy", "diff", live, str(ROOT / "README.md")).exit_code == 2


def test_policy_test_fails_on_what_differs_and_on_what_nobody_notices(tmp_path: Path) -> None:
    result = call("policy", "test")
    assert result.exit_code == 0
    assert "不符 0 处" in result.output
    assert "未被发现 0 次" in result.output
    result = call("policy", "test", _edited(tmp_path, "p, analyst, Agreement, read, in_county, public, allow\n", ""))
    assert result.exit_code == 1
    assert "全县的案件只看公开信息与办理状况，可精确统计" in result.output.replace("\n", "")
    line = "p, analyst, Visit, read, in_county, public, allow\n"
    more = f"{line}p, analyst, Signature, read, own_grid, public, allow\n"
    result = call("policy", "test", _edited(tmp_path, line, more))
    assert result.exit_code == 1
    assert "没有测试发现" in result.output.replace("\n", "")
    tests = tmp_path / "tests.yaml"
    tests.write_text("tests: []\n", encoding="utf-8")
    assert call("policy", "test", "--tests", str(tests)).exit_code == 2


def test_policy_matrix_is_a_table(tmp_path: Path) -> None:
    result = call("policy", "matrix", "--role", "court")
    assert result.exit_code == 0
    assert "法庭\t当事人\t查看\t证件号码\t掩码\t向本法庭申请司法确认\t" in result.output
    assert "网格员" not in result.output
    assert call("policy", "matrix", "--role", "boss").exit_code == 2


def test_policy_explain_names_the_rule_and_what_is_missing(
    own_county: Address, at_database: Address, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"postgresql://{own_county.user}@/{own_county.database}?host={own_county.host}"
    monkeypatch.setenv("SANLIAN_DATABASE_URL", url)
    assert call("migrate").exit_code == 0  # publishes the first policy

    async def find() -> UUID:
        connection = await connect(own_county)
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE policy_version SET published_at = '2024-01-01T00:00:00Z'")
        found: UUID = await connection.fetchval("SELECT id FROM dispute ORDER BY id LIMIT 1")
        await connection.close()
        return found

    node = f"Dispute:{asyncio.run(find())}"
    result = call("policy", "explain", "--as", PRINCIPALS["bureau_admin"], "--on", node, "--field", "caseNumber")
    assert result.exit_code == 0, result.output
    assert "字段 caseNumber" in result.output
    assert "✓ 第 " in result.output
    result = call("policy", "explain", "--as", PRINCIPALS["system_admin"], "--on", node)
    assert "不可见" in result.output
    assert "怎样才会改变：" in result.output
    assert "若任司法局业务管理员" in result.output
    result = call("policy", "explain", "--as", PRINCIPALS["bureau_admin"], "--on", node, "--action", "assess")
    assert "评估风险：不可办" in result.output
    result = call("policy", "explain", "--as", PRINCIPALS["bureau_admin"], "--on", node, "--as-of", "2024-06-01")
    assert "截至 2024-06-01" in result.output, result.output
    for day in ("1999-01-01", "2999-01-01"):
        assert call("policy", "explain", "--as", PRINCIPALS["court"], "--on", node, "--as-of", day).exit_code == 1
    assert call("policy", "explain", "--as", PRINCIPALS["court"], "--on", node, "--action", "fly").exit_code == 1
    result = call("policy", "who", "--on", node, "--field", "caseNumber")
    assert result.exit_code == 0, result.output
    assert f"{PRINCIPALS['bureau_admin']}\t司法局业务管理员\t371525\t" in result.output
    assert PRINCIPALS["system_admin"] not in result.output
    assert call("policy", "who", "--on", "Dispute:1").exit_code == 1
    wider = tmp_path / "wider.csv"
    rule = "p, bureau_admin, Party, read, in_county and not recent, contact, deny\n"
    wider.write_text(POLICY_PATH.read_text(encoding="utf-8") + rule, encoding="utf-8")
    result = call("policy", "impact", str(wider))
    assert result.exit_code == 0, result.output
    assert re.search(
        r"角色 司法局业务管理员（bureau_admin，\d+ 项任职）\n  当事人 查看：联系电话 \d+ 格变为不可见", result.output
    )
    assert "没有影响" in call("policy", "impact", "1").output
    assert call("policy", "impact", "1", "--against", str(wider)).output != result.output
    for unusable in ("99", "nosuch.csv"):
        assert call("policy", "impact", unusable).exit_code in (1, 2)
    court = PRINCIPALS["court"]
    for who, what, more in (
        ("无此人", node, ()),
        (court, "Foo:1", ()),
        (court, "Dispute:1", ()),
        (court, node, ("--field", "x")),
    ):
        assert call("policy", "explain", "--as", who, "--on", what, *more).exit_code == 1


def test_schema_print_is_the_contract_of_the_repository() -> None:
    assert call("schema", "print").output == (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8")
