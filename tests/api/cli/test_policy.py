"""The `policy` commands: check, sheet, diff, test, matrix, explain, who, impact."""

import asyncio
import re
from pathlib import Path
from uuid import UUID

import pytest

from db.county.people import PRINCIPALS
from db.postgres.address import Address
from policies.compile import POLICY_PATH
from tests.api.cli.terminal import call, connect
from tests.paths import ROOT


def test_policy_check_names_the_line(tmp_path: Path) -> None:
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

    async def first_dispute() -> UUID:
        connection = await connect(own_county)
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE policy_version SET published_at = '2024-01-01T00:00:00Z'")
        dispute_id: UUID = await connection.fetchval("SELECT id FROM dispute ORDER BY id LIMIT 1")
        await connection.close()
        return dispute_id

    node = f"Dispute:{asyncio.run(first_dispute())}"
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
