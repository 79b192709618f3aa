"""Casbin holds the rules that the compiler checked, and decides as the compiled policy does; each trap found by running it has a test."""

from types import SimpleNamespace

import pytest

from db.resources.catalog import CATALOG as SHIPPED_CATALOG
from policies import compile as compiler
from policies.compile import MAX_INHERITANCE, POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from policies.predicate import Never
from tests.policies.small import (
    CASBIN_CLAIMS,
    READ,
    casbin_allows,
    casbin_enforcer,
    casbin_row,
    only_problem,
    policy,
    problems,
)


@pytest.mark.parametrize("written", ["deny", " deny", "\tdeny", "  deny\r"])
def test_blanks_before_an_effect_mean_nothing(written: str) -> None:
    compiled = policy(f"{READ}p, clerk, Case, read, r.obj.open, *,{written}\n")
    assert [rule.allow for rule in compiled.rules] == [True, False]
    assert not casbin_allows(compiled, "clerk", open=True)
    assert casbin_allows(compiled, "clerk", open=False)


def test_inheritance_deeper_than_casbin_follows_is_refused() -> None:
    """Casbin stops after nine steps without a word; the compiled policy would go on."""

    def text(steps: int) -> str:
        roles = "".join(f"p3, n{number}, 角色\n" for number in range(steps + 1))
        edges = "".join(f"g, n{number}, n{number + 1}\n" for number in range(steps))
        return f"{roles}{edges}p, n{steps}, Case, read, True, public, allow\n"

    compiled = policy(text(MAX_INHERITANCE))
    assert casbin_allows(compiled, "n0")
    assert compiled.rules_for("n0", "Case", "read")
    ((line, message),) = problems(text(MAX_INHERITANCE + 1))
    assert (line, "超过 9 层" in message) == (4 + MAX_INHERITANCE + 2, True)


def test_a_person_named_like_a_role_holds_no_role() -> None:
    """Only the role of an appointment is ever looked up; Casbin's `g` lines name roles and nobody else."""
    compiled = policy(READ)
    for role in ("Clerk", "clerk ", "user:clerk", "1", "", "role:clerk", "王五"):
        access = Access(compiled, [Appointment(role, {"person": "clerk", "area": "clerk", "teams": ["clerk"]})])
        assert access.grant("Case").rows == Never()
        assert not casbin_allows(compiled, role)
    assert "未声明的角色 '王五'" in only_problem("g, 王五, clerk")


def test_one_broken_rule_never_reaches_casbin() -> None:
    """In Casbin a single rule that cannot be evaluated makes every request of every role raise."""
    good = policy("p, clerk, Case, read, r.obj.open, public, allow\np, chief, Case, read, True, public, allow\n")
    for broken in ("r.obj.nothing", "r.obj.open and", "1/0 == 1", "undefined"):
        assert only_problem(f"p, guest, Case, read, {broken}, public, allow")
    assert casbin_allows(good, "chief")
    assert casbin_allows(good, "clerk", open=True)
    # What Casbin would have done.
    raw = casbin_enforcer(good)
    raw.add_policy("guest", "Case", "read", "r.obj.nothing", "public", "allow")
    with pytest.raises(Exception, match="nothing"):
        raw.enforce(SimpleNamespace(role="guest", **CASBIN_CLAIMS), "Case", "read", casbin_row(), "row")


def test_what_casbin_holds_is_what_was_checked() -> None:
    text = (
        "p2, here, r.obj.town == r.sub.area, 本镇\n"
        "p2, mine, here and r.sub.person in r.obj.helpers, 本人\n"
        "g, chief, clerk\n"
        "p, clerk, Case, read,  mine or (r.obj . open  and here), public|~contact, allow\n"
        "# 注释\n\n"
        "p,chief,Case,read,not(r.obj.state=='DONE'),*,deny\r\n"
        "p, chief, Case, close, True, -, allow\n"
    )
    compiled = policy(text)
    assert compiled.casbin_model.model["p"]["p"].policy == [
        ["clerk", "Case", "read", "(r.obj.town == r.sub.area and r.sub.person in r.obj.helpers) or (r.obj.open and r.obj.town == r.sub.area)",
         "public|~contact", "allow"],
        ["chief", "Case", "read", "not r.obj.state == 'DONE'", "*", "deny"],
        ["chief", "Case", "close", "True", "-", "allow"],
    ]  # fmt: skip
    assert compiled.casbin_model.model["g"]["g"].policy == [["chief", "clerk"]]
    assert not compiled.casbin_model.model["p"]["p2"].policy
    assert [(rule.line, rule.role, rule.condition) for rule in compiled.rules] == [
        (7, "clerk", "mine or (r.obj . open  and here)"),
        (10, "chief", "not(r.obj.state=='DONE')"),
        (11, "chief", "True"),
    ]


def test_a_loader_that_takes_a_line_otherwise_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "load_policy_line", lambda line, model: None)
    assert problems(READ) == [(0, "Casbin 载入的规则与文本不一致")]


def test_the_shipped_policy_is_in_casbin_whole() -> None:
    compiled = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), SHIPPED_CATALOG, 1)
    loaded = compiled.casbin_model.model["p"]["p"].policy
    assert [(role, resource, action, fields, effect) for role, resource, action, _, fields, effect in loaded] == [
        (rule.role, rule.resource, rule.action, rule.cells, "allow" if rule.allow else "deny")
        for rule in compiled.rules
    ]


def test_any_allow_and_no_deny() -> None:
    compiled = policy(
        "g, chief, clerk\np, clerk, Case, read, True, public|name, allow\np, chief, Case, read, r.obj.open, name, deny\n"
        "p, guest, Case, read, True, public, allow\np, guest, Case, read, r.obj.fresh, *, deny\n"
    )
    assert casbin_allows(compiled, "clerk", "name", open=True)
    assert not casbin_allows(compiled, "chief", "name", open=True)
    assert not casbin_allows(compiled, "chief", "~name", open=True)
    assert casbin_allows(compiled, "chief", "row", open=True)
    assert casbin_allows(compiled, "chief", "name", open=False)
    assert not casbin_allows(compiled, "guest", "row", fresh=True)
    assert not casbin_allows(compiled, "guest", "public", fresh=True)
