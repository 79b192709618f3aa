"""Versions of the access policy."""

from sqlalchemy import Uuid

from db import tables as t
from db.resources.attributes import column
from db.resources.declaration import declare
from db.resources.relations import one
from policies.escalation import POLICY, POLICY_ACTIONS

POLICY_VERSION = declare(
    POLICY,
    "访问策略",
    t.policy_version,
    order="version desc",
    relations=[
        one("parent", POLICY, "parent_id"),
        one("base", POLICY, "base_id"),
        one("author", "Person", "author_id"),
        one("approver", "Person", "approver_id"),
        one("second_approver", "Person", "second_approver_id"),
    ],
    attributes=[column("author_id", "起草人", Uuid())],
    actions=POLICY_ACTIONS,
)
