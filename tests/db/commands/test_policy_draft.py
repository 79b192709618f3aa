"""Drafts of the policy: all errors at once with their lines, every kind of edit, and what a draft may not be."""

import pytest

from tests.db.commands.drafting import POLICY, RULE, TESTS, drafted, live
from tests.office import Office, key_of

# What a hostile or careless hand writes, and where the message must point.
HOSTILE: dict[str, tuple[str, int]] = {
    "capital effect": ("p, grid_worker, Area, read, anywhere, public, Deny", 1),
    "trailing blank": ("p, grid_worker, Area, read, anywhere, public, deny ", 1),
    "no such effect": ("p, grid_worker, Area, read, anywhere, public, dney", 1),
    "unknown key": ("p9, grid_worker, Area, read, anywhere, public, allow", 1),
    "unknown class": ("p, grid_worker, Area, read, anywhere, secrets, allow", 1),
    "unknown resource": ("p, grid_worker, Password, read, anywhere, public, allow", 1),
    "power": ("p, grid_worker, Area, read, 9**9**9, public, allow", 1),
    "internals": ("p, grid_worker, Area, read, r.sub.__class__.__mro__, public, allow", 1),
    "call": ("p, grid_worker, Area, read, __import__('os').system('id'), public, allow", 1),
    "cycle": ("g, everyone, grid_worker", 1),
    "person like a role": ("g, 方志安, bureau_admin", 1),
    "bidi": ("p, grid_worker, Area, read, anywhere, public, \u202eallow", 1),
    "zero width": ("p, grid\u200b_worker, Area, read, anywhere, public, allow", 1),
    "everything": ("p, grid_worker, Party, read, anywhere, *, allow", 1),
    "inherits an administrator": ("g, security_admin, auditor", 0),
    "injected line": ("p, grid_worker, Area, read, anywhere, public, allow, allow", 1),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_draft_is_refused_with_its_line(office: Office, name: str) -> None:
    line, placed = HOSTILE[name]
    stored = await office.value("SELECT count(*) FROM policy_version")
    number = POLICY.count("\n") + 1
    done = await office.do("security_admin", "policyDraft", note="试改", text=f"{POLICY}{line}\n")
    assert done.payload is not None
    assert {(field, code) for field, code in done.user_errors} == {("text", "BAD_POLICY")}
    messages = [one["message"] for one in done.payload["userErrors"]]
    assert not placed or any(f"第 {number} 行" in message for message in messages), messages
    assert await office.value("SELECT count(*) FROM policy_version") == stored
    assert await live(office) == 1


async def test_ten_thousand_rules_for_one_thing_are_refused(office: Office) -> None:
    rules = "".join(f"p, analyst, Area, read, r.obj.code == '{number}', public, allow\n" for number in range(10_000))
    done = await office.do("security_admin", "policyDraft", note="试改", text=POLICY + rules)
    assert {code for _, code in done.user_errors} == {"BAD_POLICY"}
    assert len(done.user_errors) <= 201
    assert await live(office) == 1


async def test_nul_is_refused_before_anything(office: Office) -> None:
    result = await office.do("security_admin", "policyDraft", note="试改", text=f"{POLICY}\0")
    assert result.codes == ["BAD_TEXT"]


async def test_all_errors_at_once(office: Office) -> None:
    text = POLICY + "p, nobody, Area, read, anywhere, public, allow\np, everyone, Area, read, anywhere, public, Allow\n"
    done = await office.do("security_admin", "policyDraft", note="试改", text=text)
    assert done.payload is not None
    assert len(done.user_errors) == 2
    tests = await office.do(
        "security_admin", "policyDraft", note="试改", text=POLICY + "\n", tests="tests:\n  - 1\n  - 2\n"
    )
    assert tests.user_errors[0] == ("tests", "BAD_TESTS")
    assert len(tests.user_errors) >= 2


async def test_a_draft_says_one_thing(office: Office) -> None:
    assert (await office.do("security_admin", "policyDraft", note="试")).user_errors == [("text", "ONE_WAY")]
    edits = [{"revoke": RULE}]
    both = await office.do("security_admin", "policyDraft", note=" ", text=POLICY, edits=edits)
    assert both.user_errors == [("note", "REQUIRED"), ("text", "ONE_WAY")]
    two = await office.do(
        "security_admin", "policyDraft", note="试", edits=[{"revoke": RULE, "remove_role": "court"}, {}]
    )
    assert two.user_errors == [("edits.0", "ONE_CHANGE"), ("edits.1", "ONE_CHANGE")]
    same = await office.do("security_admin", "policyDraft", note="试", text=POLICY)
    assert same.user_errors == [("text", "UNCHANGED")]
    nowhere = await office.do(
        "security_admin",
        "policyDraft",
        note="试",
        edits=[{"revoke": {**RULE, "rows": "own_town"}}, {"add_role": {"role": "court", "label": "庭"}}],
    )
    assert nowhere.user_errors == [("edits.0", "BAD_EDIT"), ("edits.1", "BAD_EDIT")]
    hidden = await office.do(
        "security_admin", "policyDraft", note="试", edits=[{"grant": {"rule": RULE, "fields": "money, allow\np, x"}}]
    )
    assert hidden.user_errors == [("edits.0", "BAD_EDIT")]


async def test_every_kind_of_edit(office: Office) -> None:
    edits = [
        {"grant": {"rule": RULE, "fields": "money"}},
        {"revoke": {**RULE, "resource": "Measure"}},
        {"change_rows": {"rule": {**RULE, "resource": "Extension"}, "rows": "own_grid and at_team"}},
        {"change_fields": {"rule": {**RULE, "resource": "FollowUp"}, "fields": "public"}},
        {"change_effect": {"rule": {**RULE, "resource": "Alert"}, "effect": "deny", "fields": "*"}},
        {"add_role": {"role": "visitor", "label": "参访人员"}},
        {"add_inheritance": {"role": "visitor", "inherited": "everyone"}},
        {"remove_inheritance": {"role": "police", "inherited": "partner"}},
        {"add_role": {"role": "passer", "label": "路人"}},
        {"remove_role": "passer"},
        {"name_condition": {"name": "at_home", "rows": "r.obj.grid_code == r.sub.area_code", "label": "家门口"}},
    ]
    made = await drafted(office, edits=edits)
    text = made["text"]
    assert "p, grid_worker, Dispute, read, own_grid, public|status|money, allow" in text
    assert "p, grid_worker, Measure, read, own_grid" not in text
    assert "p, grid_worker, Extension, read, own_grid and at_team, public, allow" in text
    assert "p, grid_worker, FollowUp, read, own_grid, public, allow" in text
    assert "p, grid_worker, Alert, read, own_grid, *, deny" in text
    assert "p3, visitor, 参访人员" in text
    assert "g, visitor, everyone" in text
    assert "g, police, partner" not in text
    assert "passer" not in text
    assert "p2, at_home, r.obj.grid_code == r.sub.area_code, 家门口" in text
    assert made["tests"] == TESTS
    # The tests that ship know nothing of it: the draft is kept, and cannot be approved.
    assert made["green"] is False
    assert made["failures"] != []
    assert any("网格员" in one and "金额" in one for one in made["differences"])
    refused = await office.do("bureau_admin", "policyApprove", id=key_of(made["id"]), digest=made["digest"])
    assert refused.user_errors == [("id", "NOT_GREEN")]
    # From a version that was never published, too.
    onwards = await drafted(office, from_id=key_of(made["id"]), edits=[{"revoke": {**RULE, "resource": "Assignment"}}])
    assert onwards["parent"] == {"version": made["version"]}
    assert onwards["base"] == {"version": 1}


async def test_a_rule_without_a_test_is_reported(office: Office) -> None:
    made = await drafted(
        office,
        edits=[
            {"add_role": {"role": "visitor", "label": "参访人员"}},
            {
                "grant": {
                    "rule": {"role": "visitor", "resource": "Area", "action": "read", "rows": "anywhere"},
                    "fields": "public",
                }
            },
        ],
    )
    assert (made["green"], made["failures"]) == (False, [])
    assert any("参访人员" in one for one in made["survivors"])
