"""Explanations: every rule's verdict, the decisive rule, and what would change the decision."""

import itertools
from typing import Any

import pytest

from policies.explain import Explanation, explain
from policies.grant import Access, Appointment
from tests.policies.small import CASE, policy, row

TEXT = (
    "p2, here, r.obj.town == r.sub.area, 本镇\n"
    "p2, done, r.obj.state == 'DONE', 已办结\n"
    "g, chief, clerk\n"
    "p, clerk, Case, read, here, public|~contact, allow\n"
    "p, clerk, Case, read, here and r.obj.open, narrative|contact, allow\n"
    "p, clerk, Case, read, r.sub.person in r.obj.helpers, public, allow\n"
    "p, chief, Case, read, not done and r.obj.team in r.sub.teams, identity, allow\n"
    "p, clerk, Case, read, done, contact, deny\n"
    "p, guest, Case, read, done, *, deny\n"
    "p, clerk, Case, close, here, -, allow\n"
    "p, clerk, Case, reveal, here, name, allow\n"
    "p, chief, Case, close, done, *, deny\n"
)
CLAIMS: dict[str, Any] = {"person": 1, "area": "T", "teams": [7, 8]}


@pytest.mark.parametrize(
    ("field", "values", "visible", "shown"),
    [
        (None, {"town": "T"}, True, None),
        (None, {"town": "U"}, False, None),
        (None, {"town": "U", "helpers": {1}}, True, None),
        ("title", {"town": "T"}, True, "clear"),
        ("phone", {"town": "T", "open": False}, True, "masked"),
        ("phone", {"town": "T", "open": True}, True, "clear"),
        ("phone", {"town": "T", "open": True, "state": "DONE"}, True, "hidden"),
        ("extension", {"town": "T", "open": False}, True, "hidden"),
        ("name", {"town": "T"}, True, "hidden"),
        ("title", {"town": "U"}, False, "hidden"),
        ("phone", {"town": "U", "open": True}, False, "hidden"),
    ],
)
def test_how_a_cell_shows(field: str | None, values: dict[str, Any], visible: bool, shown: str | None) -> None:
    explanation = explained("clerk", field, **values)
    assert (explanation.visible, explanation.field) == (visible, shown)


def test_every_rule_has_a_verdict_with_the_condition_that_fails() -> None:
    explanation = explained("chief", town="U", open=True, state="DONE", team=9)
    assert not explanation.visible
    assert [(one.bound.rule.line, one.failed) for one in explanation.verdicts] == [
        (7, "镇街 为 U，要求 T"),
        (8, "镇街 为 U，要求 T"),
        (9, "协助人 ｛｝ 不含 1"),
        (10, "不得 状态 为 DONE，要求 DONE"),
        (11, None),
    ]
    # The first condition that fails is reported.
    assert explained("chief", town="U", state="OPEN", team=9).verdicts[3].failed == "团队 9 不在 ｛7、8｝ 之中"
    assert explained("clerk", town="T").verdicts[1].failed == "未办结 为 （空），要求 是"


def test_only_applicable_rules_have_a_verdict() -> None:
    assert [one.bound.rule.line for one in explained("clerk", "phone", town="T").verdicts] == [7, 8, 11]
    assert [one.bound.rule.line for one in explained("clerk", "title", town="T").verdicts] == [7, 9]
    assert [one.bound.rule.line for one in explained("guest", "title").verdicts] == [12]


def test_the_explanation_agrees_with_the_grant_on_every_cell() -> None:
    access = Access(policy(TEXT), [Appointment("chief", CLAIMS), Appointment("guest", {**CLAIMS, "area": None})])
    rules = {bound.rule.line for bound in access.grant("Case").rules}
    for town, opened, state, helpers in itertools.product(
        ("T", "U", None), (True, False, None), ("DONE", None), (set(), {1})
    ):
        values = row(town=town, open=opened, state=state, helpers=helpers)
        matching = {one.bound.rule.line for one in explain(access, CASE, values).verdicts if one.failed is None}
        assert matching <= rules
        denied = 12 in matching
        assert explain(access, CASE, values).visible == (bool(matching & {7, 8, 9, 10}) and not denied)
        for field in CASE.fields.values():
            if not explain(access, CASE, values).visible:
                assert explain(access, CASE, values, field).field == "hidden"


def explained(role: str, field: str | None = None, claims: dict[str, Any] | None = None, **values: Any) -> Explanation:
    access = Access(policy(TEXT), [Appointment(role, {**CLAIMS, **(claims or {})})])
    return explain(access, CASE, row(**values), CASE.fields[field] if field else None)


@pytest.mark.parametrize(
    ("role", "field", "values", "line"),
    [
        ("clerk", None, {"town": "T"}, 7),
        ("clerk", None, {"helpers": {1}}, 9),
        ("clerk", None, {"town": "U"}, None),
        ("clerk", "phone", {"town": "T", "open": True}, 8),
        ("clerk", "phone", {"town": "T"}, 7),
        ("clerk", "phone", {"town": "T", "open": True, "state": "DONE"}, 11),
        ("clerk", "name", {"town": "T"}, None),
        ("guest", None, {"state": "DONE"}, 12),
        ("guest", "title", {"state": "DONE"}, 12),
        ("chief", "number", {"team": 7}, 10),
    ],
)
def test_the_rule_that_decides(role: str, field: str | None, values: dict[str, Any], line: int | None) -> None:
    decisive = explained(role, field, **values).decisive
    assert (decisive and decisive.rule.line) == line


def changes(explanation: Explanation) -> list[tuple[str, int, bool, tuple[str, ...]]]:
    """Role, line, whether it is held, and needs of every change."""
    return [(one.role, one.line, one.held, one.needs) for one in explanation.changes]


def test_what_would_change_the_decision() -> None:
    assert changes(explained("clerk", town="U")) == [
        ("clerk", 7, True, ("本镇（辖区为 U）",)),
    ]
    assert changes(explained("clerk", town="U", team=9)) == [
        ("clerk", 7, True, ("本镇（辖区为 U）",)),
        ("chief", 10, False, ("团队包括 9",)),
    ]
    # What already shows needs no change.
    assert changes(explained("clerk", town="T")) == []
    assert changes(explained("clerk", "title", town="T")) == []
    # A field that shows masked could be clear.
    assert changes(explained("clerk", "phone", town="T", open=False)) == [("clerk", 8, True, ("未办结为 是",))]
    # Where it is denied, that is what stands in the way.
    assert changes(explained("clerk", "phone", town="T", open=True, state="DONE")) == [
        ("clerk", 8, True, ("第 11 行的禁止不再适用",)),
    ]
    # Another role could see it as it is.
    assert changes(explained("guest", town="T")) == [("clerk", 7, False, ())]
    assert changes(explained("guest", town="U")) == [("clerk", 7, False, ("本镇（辖区为 U）",))]


def test_no_appointment_could_match_a_missing_attribute() -> None:
    assert changes(explained("guest")) == [("clerk", 9, False, ("协助人包括本人",))]
    assert ("chief", 10) not in [(role, line) for role, line, _, _ in changes(explained("guest", team=None, town="U"))]


def test_a_missing_claim_is_described_by_what_the_rule_requires() -> None:
    explanation = explained("clerk", claims={"area": None, "person": None}, town="U")
    assert [one.failed for one in explanation.verdicts[:1]] == ["任职缺少条件所需的属性"]
    assert changes(explanation) == [("clerk", 7, True, ("本镇（辖区为 U）",))]


def test_an_action_is_explained_like_a_row() -> None:
    access = Access(policy(TEXT), [Appointment("chief", CLAIMS)])
    open_ = explain(access, CASE, row(town="T", state="NEW"), action="close")
    assert (open_.visible, open_.decisive and open_.decisive.rule.line, open_.changes) == (True, 13, ())
    done = explain(access, CASE, row(town="T", state="DONE"), action="close")
    assert (done.visible, done.decisive and done.decisive.rule.line) == (False, 15)
    assert changes(done) == [("clerk", 13, True, ("第 15 行的禁止不再适用",))]


def test_values_of_concealed_attributes_do_not_show() -> None:
    access = Access(policy(TEXT), [Appointment("clerk", CLAIMS)])
    explanation = explain(access, CASE, row(town="SECRET", state="HIDDEN"), concealed=frozenset({"town", "state"}))
    assert "SECRET" not in repr(explanation.verdicts[0].failed) + repr(explanation.changes)
    assert explanation.verdicts[0].failed == "镇街 为 （不予显示），要求 T"
    assert explanation.changes[0].needs == ("本镇（辖区为 （不予显示））",)


def test_a_change_does_change_the_decision() -> None:
    """What a role that the caller holds lacks on a row: with exactly that, the row would show."""
    for town, helpers, opened in itertools.product(("T", "U", None), (set(), {1}, {2}), (True, None)):
        values = row(town=town, helpers=helpers, open=opened)
        for claims in (CLAIMS, {**CLAIMS, "area": "U", "person": 2}):
            access = Access(policy(TEXT), [Appointment("clerk", claims)])
            explanation = explain(access, CASE, values)
            assert explanation.visible == (explanation.changes == ()) == (explanation.decisive is not None)
            for change in explanation.changes:
                if change.needs == (f"本镇（辖区为 {town}）",):
                    moved = Access(policy(TEXT), [Appointment("clerk", {**claims, "area": town})])
                    assert explain(moved, CASE, values).visible
