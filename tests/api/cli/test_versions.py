"""Versions of the policy at the terminal: the same commands as over HTTP, as a person; and what `migrate` says of a live policy."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from api.__main__ import app
from db.county.people import PRINCIPALS
from db.policy_admin.examine import shipped_tests
from db.postgres.address import Address
from policies.compile import POLICY_PATH

POLICY = POLICY_PATH.read_text(encoding="utf-8")
ADMIN, BUREAU = PRINCIPALS["security_admin"], PRINCIPALS["bureau_admin"]
LINE = "p, analyst, Inspection, read, in_county, public, allow\n"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def ask(address: Address, statement: str) -> Any:
    """One value, as the owner of the database."""

    async def put() -> Any:
        connection = await asyncpg.connect(**address.connect_arguments())
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(put())


@pytest.fixture
def settled(own_county: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Address:
    """The demo county of this test alone, behind the settings."""
    url = f"postgresql://{own_county.user}@/{own_county.database}?host={own_county.host}"
    monkeypatch.setenv("SANLIAN_DATABASE_URL", url)
    monkeypatch.setenv("SANLIAN_SECRET_KEY", base64.b64encode(bytes(range(32))).decode())
    migrated = call("migrate")
    assert migrated.exit_code == 0, migrated.output
    return own_county


def test_from_a_file_to_the_live_policy_and_back(settled: Address, tmp_path: Path) -> None:
    file, tests = tmp_path / "policy.csv", tmp_path / "tests.yaml"
    file.write_text(POLICY.replace(LINE, ""), encoding="utf-8")
    suite = shipped_tests()
    for old, new in (
        ("预警 层级移交 走访 排查: {clear: 公开信息}", "预警 层级移交 走访: {clear: 公开信息}"),
        (
            "    nothing: 案卷\n  - says: 邻县的看不到\n    who: 统计人员",
            "    nothing: 案卷 排查\n  - says: 邻县的看不到\n    who: 统计人员",
        ),
    ):
        suite = suite.replace(old, new)
    tests.write_text(suite, encoding="utf-8")

    refused = call("policy", "draft", str(file), "--as", BUREAU, "--note", "收回")
    assert (refused.exit_code, "您无权起草访问策略" in refused.output) == (1, True)
    assert call("policy", "draft", str(file), "--as", "无此人", "--note", "收回").exit_code == 2
    result = call("policy", "draft", str(file), "--tests", str(tests), "--as", ADMIN, "--note", "收回排查")
    assert result.exit_code == 0, result.output
    assert "第 2 版，待批准" in result.output
    assert "不再可以看到排查" in result.output
    digest = ask(settled, "SELECT digest FROM policy_version WHERE version = 2")
    own = call("policy", "approve", "2", digest, "--as", ADMIN)
    assert (own.exit_code, "起草人不能批准" in own.output) == (1, True)
    assert call("policy", "approve", "2", "0" * 64, "--as", BUREAU).exit_code == 1
    assert call("policy", "approve", "9", digest, "--as", BUREAU).exit_code == 2
    assert call("policy", "publish", "2", "--as", ADMIN).exit_code == 1
    assert call("policy", "approve", "2", digest, "--as", BUREAU).exit_code == 0
    published = call("policy", "publish", "2", "--as", ADMIN)
    assert published.exit_code == 0, published.output
    assert ask(settled, "SELECT version FROM policy_version WHERE state = 'PUBLISHED'") == 2
    back = call("policy", "rollback", "1", "--as", ADMIN, "--note", "误收")
    assert back.exit_code == 0, back.output
    assert ask(settled, "SELECT version FROM policy_version WHERE state = 'PUBLISHED'") == 3
    lines = call("policy", "list").output.splitlines()
    assert [line.split("\t")[:2] for line in lines] == [["3", "现行"], ["2", "已被取代"], ["1", "已被取代"]]
    assert f"起草 {ADMIN}，批准 {BUREAU}" in lines[1]
    assert ask(settled, "SELECT count(*) FROM event WHERE resource = 'PolicyVersion'") == 4


def test_a_mistake_is_told_with_its_line(settled: Address, tmp_path: Path) -> None:
    file = tmp_path / "policy.csv"
    file.write_text(POLICY + "p, analyst, Area, read, anywhere, public, Deny\n", encoding="utf-8")
    result = call("policy", "draft", str(file), "--as", ADMIN, "--note", "试")
    assert result.exit_code == 1
    assert f"第 {POLICY.count(chr(10)) + 1} 行第" in result.output
    assert ask(settled, "SELECT count(*) FROM policy_version") == 1


def test_migrate_says_what_is_wrong_with_the_live_policy(settled: Address, tmp_path: Path) -> None:
    file = tmp_path / "policy.csv"
    file.write_text(POLICY, encoding="utf-8")
    unneeded = call("migrate", "--policy", str(file))
    assert (unneeded.exit_code, "现行策略还能用" in unneeded.output) == (1, True)
    # As one that was written for another version of the software.
    ask(settled, "UPDATE policy_version SET state = 'RETIRED'")
    ask(
        settled,
        "INSERT INTO policy_version (version, text, sha256, state, published_at) SELECT 2, x, encode(sha256(convert_to(x, 'UTF8')), 'hex'),"
        " 'PUBLISHED', now() FROM (SELECT text || E'p, analyst, Parcel, read, anywhere, public, allow\\n' AS x FROM policy_version) y",
    )
    result = call("migrate")
    assert result.exit_code == 1
    assert "已不能编译" in result.output
    assert f"第 {POLICY.count(chr(10)) + 1} 行" in result.output
    assert "Parcel" in result.output
    mended = call("migrate", "--policy", str(file))
    assert mended.exit_code == 0, mended.output
    assert ask(settled, "SELECT version FROM policy_version WHERE state = 'PUBLISHED'") == 3
    assert call("migrate").exit_code == 0

    # Where it works, but nobody could publish another: the command says so, and it can be mended in the same way.
    ask(settled, "UPDATE appointment SET valid_to = current_date - 2 WHERE role = 'security_admin'")
    result = call("migrate")
    assert (result.exit_code, "无人可以起草并发布" in result.output) == (0, True)
    assert call("migrate", "--policy", str(file)).exit_code == 0
