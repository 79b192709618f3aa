"""Roles are the policy's. Where the code must know one by name it is declared once, beside its table, and is one of the policy's."""

import ast

from db.resources.catalog import CATALOG
from db.tables.person import ADMINISTRATORS
from db.tables.team import TEAM_ROLE_OF
from policies.compile import POLICY_PATH, compile_policy
from tests.paths import ROOT

POLICY = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG)
DECLARED = {"db/tables/person.py", "db/tables/team.py"}
# The demo county and its tour are data: people who hold the roles.
DATA = ("db/county/", "db/migrations/", "api/cli/demo.py")
# Words that are not roles alone: a relation, a condition, a thread's name.
AMBIGUOUS = {"mediator", "court", "worker"}


def test_declared_roles_are_roles_of_the_policy() -> None:
    assert {*ADMINISTRATORS, *TEAM_ROLE_OF} <= set(POLICY.roles)


def test_no_role_name_stands_in_the_code() -> None:
    """A new role, or a new name for one, needs no change of code."""
    roles = set(POLICY.roles) - AMBIGUOUS
    named = {
        (path, node.value)
        for folder in ("api", "schema", "db", "policies")
        for file in sorted((ROOT / folder).rglob("*.py"))
        if not (path := file.relative_to(ROOT).as_posix()).startswith(DATA) and path not in DECLARED
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in roles
    }
    assert not named
