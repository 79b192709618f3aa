"""What a draft grants a person beyond today, by sets of cells; and who could still publish."""

from typing import Any

import pytest

from policies.catalog import Catalog, Field, Resource
from policies.compile import compile_policy
from policies.escalation import POLICY, POLICY_ACTIONS, escalations, permission_holders
from policies.grant import Appointment
from tests.policies.small import CATALOG, HEAD, policy

CLAIMS: dict[str, Any] = {"person": 1, "area": "T", "teams": []}
NAMES = "p2, here, r.obj.town == r.sub.area, 本镇\n"
LIVE = NAMES + "p, clerk, Case, read, here, public|~contact, allow\np, chief, Case, read, True, public, allow\n"


def escalated(
    draft: str, *roles: str, live: str = LIVE, **claims: Any
) -> list[tuple[str, str | None, str, str | None, str]]:
    appointments = [Appointment(role, {**CLAIMS, **claims}) for role in roles]
    return [
        (one.action, one.field_class, one.form, one.before, one.after)
        for one in escalations(policy(live), policy(draft), appointments)
    ]


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (LIVE, []),
        (LIVE.replace("here, public|~contact", "here and r.obj.open, public"), []),
        (LIVE.replace("~contact", "contact"), [("read", "contact", "clear", None, "本镇")]),
        (
            LIVE.replace("here, public|~contact", "True, public|~contact"),
            [
                ("read", None, "row", "本镇", "不限"),
                ("read", "public", "clear", "本镇", "不限"),
                ("read", "contact", "masked", "本镇", "不限"),
            ],
        ),
        (LIVE + "p, clerk, Case, close, here, -, allow\n", [("close", None, "row", None, "本镇")]),
        (LIVE + "p, chief, Case, close, here, -, allow\n", []),
        # The role itself gets no rule, but inherits one.
        (LIVE + "g, clerk, guest\np, guest, Case, close, here, -, allow\n", [("close", None, "row", None, "本镇")]),
    ],
)
def test_what_a_draft_grants_a_clerk_beyond_today(
    draft: str, expected: list[tuple[str, str | None, str, str | None, str]]
) -> None:
    assert escalated(draft, "clerk") == expected


def test_what_another_role_of_the_person_grants_today_is_no_escalation() -> None:
    wider = LIVE.replace("p, clerk, Case, read, here, public|~contact", "p, clerk, Case, read, True, public")
    assert escalated(wider, "clerk") != []
    assert escalated(wider, "clerk", "chief") == []


def test_a_missing_claim_grants_nothing() -> None:
    draft = LIVE + "p, clerk, Case, close, here, -, allow\n"
    assert escalated(draft, "clerk", area=None) == []
    assert escalated(draft.replace("close, here", "close, True"), "clerk", area=None) == [
        ("close", None, "row", None, "不限")
    ]


def test_a_removed_deny_is_an_escalation() -> None:
    denied = LIVE + "p, clerk, Case, read, r.obj.open, *, deny\n"
    cells = escalated(LIVE, "clerk", live=denied)
    assert [(field_class, form) for _, field_class, form, _, _ in cells] == [
        (None, "row"),
        ("public", "clear"),
        ("contact", "masked"),
    ]
    assert escalated(denied, "clerk") == []


def test_who_could_still_publish() -> None:
    governed = Resource(POLICY, "访问策略", {"text": Field("text", "public", None, "全文")}, {}, POLICY_ACTIONS)
    catalog = Catalog({**CATALOG.resources, POLICY: governed}, CATALOG.claims)
    text = f"{HEAD}p, chief, PolicyVersion, publish, True, -, allow\np, clerk, PolicyVersion, draft, True, -, allow\ng, guest, chief\n"
    people = {name: [Appointment(role, CLAIMS)] for name, role in (("甲", "chief"), ("乙", "clerk"), ("丙", "guest"))}
    live = compile_policy(text, catalog)
    assert permission_holders(live, "publish", people) == ("甲", "丙")
    assert permission_holders(live, "draft", people) == ("乙",)
    assert permission_holders(live, "approve", people) == ()
    # A rule alone publishes nothing: somebody has to hold the role.
    assert permission_holders(live, "publish", {"乙": people["乙"]}) == ()
    locked = compile_policy(text + "p, chief, PolicyVersion, publish, True, *, deny\n", catalog)
    assert permission_holders(locked, "publish", people) == ()
