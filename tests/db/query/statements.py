"""The statement of a query for callers of some roles. Claims are parameters, so any values do."""

import uuid
from collections.abc import Mapping
from typing import Any

from graphql import parse
from graphql.execution.values import get_variable_values

from db.query.select import select_plan
from db.query.statement import Statement
from db.resources.catalog import CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from policies.policy import Policy
from schema.planning.arguments import Call
from schema.planning.operation import Document, Operation
from schema.planning.planner import plan_operation
from schema.sdl import graphql_schema

CLAIMS = {"person_id": uuid.UUID(int=1), "organization_id": uuid.UUID(int=2), "area_code": "1", "team_ids": []}


def shipped_policy() -> Policy:
    """The policy in `policies/`, with nothing made for it yet."""
    return compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, 1)


def statement_of(
    roles: tuple[str, ...], query: str, variables: Mapping[str, Any] | None = None, policy: Policy | None = None
) -> Statement:
    """The statement that answers the query to a caller with an appointment for each role, under a policy or the shipped one."""
    access = Access(policy or shipped_policy(), [Appointment(role, CLAIMS) for role in roles])
    schema = graphql_schema()
    document = Document(query, parse(query))
    definition: Any = document.ast.definitions[0]
    given = dict(variables or {})
    coerced = get_variable_values(schema, definition.variable_definitions or (), given)
    assert not isinstance(coerced, list), coerced
    call = Call(coerced, CLAIMS["person_id"], b"")
    planned = plan_operation(schema, Operation(document, definition, None, given), access, call, typed=False)
    return select_plan(planned.plan, access)
