"""A small catalog for the tests of the pure stages: one kind of object with each kind of attribute, one without any."""

from types import SimpleNamespace
from typing import Any

import casbin

from policies.catalog import Attribute, Catalog, Claim, Field, Resource
from policies.compile import compile_policy
from policies.policy import Policy, PolicyRefused, covers
from policies.text import Problem

CASE = Resource(
    "Case",
    "案件",
    {
        "title": Field("title", "public", None, "标题"),
        "story": Field("story", "narrative", None, "案情，较长"),
        "name": Field("name", "name", "name", "姓名（当事人）"),
        "phone": Field("phone", "contact", "phone", "电话"),
        "extension": Field("extension", "contact", None, "分机"),
        "number": Field("number", "identity", "stored", "证件号码"),
    },
    {
        "state": Attribute("state", "text", "状态"),
        "town": Attribute("town", "text", "镇街"),
        "team": Attribute("team", "key", "团队"),
        "owner": Attribute("owner", "key", "承办人"),
        "open": Attribute("open", "boolean", "未办结"),
        "fresh": Attribute("fresh", "boolean", ""),
        "helpers": Attribute("helpers", "set", "协助人"),
    },
    frozenset({"read", "close", "reveal"}),
)
PLACE = Resource("Place", "地点", {"title": Field("title", "public", None, "名称")}, {})
CATALOG = Catalog(
    {"Case": CASE, "Place": PLACE},
    {
        "person": Claim("person", "key", "本人"),
        "area": Claim("area", "text", "辖区"),
        "teams": Claim("teams", "set", "团队"),
    },
)
HEAD = "p3, clerk, 办事员\np3, chief, 主任\np3, guest, 来访者\n"


def policy(text: str, version: int = 0) -> Policy:
    """The policy of a text, with the roles clerk, chief and guest in its first three lines."""
    return compile_policy(HEAD + text, CATALOG, version)


def refused(text: str) -> tuple[Problem, ...]:
    """Every mistake of a text that is refused."""
    try:
        compile_policy(text, CATALOG)
    except PolicyRefused as refusal:
        return refusal.problems
    raise AssertionError(f"accepted: {text}")


def problems(text: str, head: str = HEAD) -> list[tuple[int, str]]:
    """Line and message of every mistake of a text that is refused; the first line after the roles is 4."""
    return [(problem.line, problem.message) for problem in refused(head + text)]


def places(text: str) -> list[tuple[int, str, int]]:
    """Line, message and column of every mistake of a text that has a good rule behind it."""
    text = f"{HEAD}{text}\np, guest, Case, read, True, public, allow\n"
    return [(problem.line, problem.message, problem.column) for problem in refused(text)]


def row(**values: Any) -> dict[str, Any]:
    """A case's attributes; those not given are missing."""
    return {**dict.fromkeys(CASE.attributes), "helpers": frozenset(), **values}


READ = "p, clerk, Case, read, True, public, allow\n"
CASBIN_CLAIMS = {"person": 1, "area": "T", "teams": [7]}


def only_problem(text: str) -> str:
    """The message of the one mistake, which is in the first line after the roles."""
    ((line, message),) = problems(f"{text}\n{READ}")
    assert line == 4
    return message


def casbin_enforcer(compiled: Policy) -> casbin.Enforcer:
    """A Casbin enforcer over the loaded model of a policy."""
    enforcer = casbin.Enforcer(compiled.casbin_model)
    enforcer.build_role_links()
    enforcer.add_function("covers", covers)
    return enforcer


def casbin_row(**values: Any) -> SimpleNamespace:
    """A case as an object of a Casbin request, for rules that compare nothing missing."""
    return SimpleNamespace(**row(**values))


def casbin_allows(compiled: Policy, role: str, cell: str = "row", **values: Any) -> bool:
    """Casbin's decision on one cell of a case."""
    subject = SimpleNamespace(role=role, **CASBIN_CLAIMS)
    return bool(casbin_enforcer(compiled).enforce(subject, "Case", "read", casbin_row(**values), cell))
