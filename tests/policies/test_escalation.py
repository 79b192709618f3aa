"""What a draft gives a person, by sets of cells; and who would be left to publish."""

from typing import Any

import pytest

from policies.catalog import Catalog, Field, Resource
from policies.compile import compile_policy
from policies.escalation import POLICY, POLICY_ACTIONS, gains, holders
from policies.grant import Appointment
from tests.policies.small import CATALOG, HEAD, policy

CLAIMS: dict[str, Any] = {"person": 1, "area": "T", "teams": []}
NAMES = "p2, here, r.obj.town == r.sub.area, 本镇\n"
LIVE = NAMES + "p, clerk, Case, read, here, public|~contact, allow\np, chief, Case, read, True, public, allow\n"


def gained(
    draft: str, *roles: str, live: str = LIVE, **claims: Any
) -> list[tuple[str, str | None, str, str | None, str]]:
    held = [Appointment(role, {**CLAIMS, **claims}) for role in roles]
    return [
        (one.action, one.field_class, one.form, one.before, one.after)
        for one in gains(policy(live), policy(draft), held)
    ]


@pytest.mark.parametrize(
    ("draft", "found"),
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
        # By another way: the role itself gets no rule, but inherits one.
        (LIVE + "g, clerk, guest\np, guest, Case, close, here, -, allow\n", [("close", None, "row", None, "本镇")]),
    ],
)
def test_what_a_clerk_gains(draft: str, found: list[tuple[str, str | None, str, str | None, str]]) -> None:
    assert gained(draft, "clerk") == found


def test_what_he_has_in_another_role_is_no_gain() -> None:
    wider = LIVE.replace("p, clerk, Case, read, here, public|~contact", "p, clerk, Case, read, True, public")
    assert gained(wider, "clerk") != []
    assert gained(wider, "clerk", "chief") == []


def test_a_claim_that_he_lacks_gives_nothing() -> None:
    draft = LIVE + "p, clerk, Case, close, here, -, allow\n"
    assert gained(draft, "clerk", area=None) == []
    assert gained(draft.replace("close, here", "close, True"), "clerk", area=None) == [
        ("close", None, "row", None, "不限")
    ]


def test_a_denial_taken_away_is_a_gain() -> None:
    denied = LIVE + "p, clerk, Case, read, r.obj.open, *, deny\n"
    found = gained(LIVE, "clerk", live=denied)
    assert [(field_class, form) for _, field_class, form, _, _ in found] == [
        (None, "row"),
        ("public", "clear"),
        ("contact", "masked"),
    ]
    assert gained(denied, "clerk") == []


def test_who_is_left_to_publish() -> None:
    governed = Resource(POLICY, "访问策略", {"text": Field("text", "public", None, "全文")}, {}, POLICY_ACTIONS)
    catalog = Catalog({**CATALOG.resources, POLICY: governed}, CATALOG.claims)
    text = f"{HEAD}p, chief, PolicyVersion, publish, True, -, allow\np, clerk, PolicyVersion, draft, True, -, allow\ng, guest, chief\n"
    people = {name: [Appointment(role, CLAIMS)] for name, role in (("甲", "chief"), ("乙", "clerk"), ("丙", "guest"))}
    live = compile_policy(text, catalog)
    assert holders(live, "publish", people) == ("甲", "丙")
    assert holders(live, "draft", people) == ("乙",)
    assert holders(live, "approve", people) == ()
    # A rule alone publishes nothing: somebody has to hold the role.
    assert holders(live, "publish", {"乙": people["乙"]}) == ()
    locked = compile_policy(text + "p, chief, PolicyVersion, publish, True, *, deny\n", catalog)
    assert holders(locked, "publish", people) == ()
