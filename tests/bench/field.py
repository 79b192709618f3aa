"""The contestants of the benchmark: the product, the floor under it, and what a county's engineers would use instead."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from tests.bench import workload as w
from tests.bench.contestant import Contestant, Request, Setting, python_server
from tests.bench.county import Question

_DOCUMENTS = {
    name: " ".join(text.split()) for name, text in {"Q1": w.Q1, "Q2": w.Q2, "Q3": w.Q3, "Q4": w.Q4, "Q5": w.Q5}.items()
}
READS = frozenset(_DOCUMENTS)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def cursor(position: tuple[str, str]) -> str:
    """The product's cursor, which the peers written here share: the values of the order's keys."""
    return base64.b64encode(_json(list(position))).decode()


def _graphql(variables: dict[str, Any]) -> dict[str, Any]:
    after = variables.get("after")
    return {**variables, "after": cursor(after)} if after else variables


# -- the product


def _product(setting: Setting) -> tuple[list[str], dict[str, str]]:
    # The settings of a new installation; only where it lives and listens differs.
    where = {
        "SANLIAN_DATABASE_URL": database_url(setting), "SANLIAN_SECRET_KEY": secret_key(setting),
        "SANLIAN_HOME": str(setting.home), "SANLIAN_PORT": str(setting.port), "SANLIAN_WORKERS": str(setting.workers),
    }  # fmt: skip
    return [sys.executable, "-m", "api", "serve"], where


def database_url(setting: Setting) -> str:
    """The address of the county as a URL."""
    at = setting.address
    return f"postgresql://{at.user}@localhost:{at.port}/{at.database}?host={at.host}"


def secret_key(setting: Setting) -> str:
    """The key of the installation, as text."""
    from api.settings import Settings

    return base64.b64encode(Settings(home=setting.home).key()).decode()


def _ask_product(name: str, question: Question) -> Request:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {question.caller.token}"}
    return Request("/graphql", headers, _json({"query": _DOCUMENTS[name], "variables": _graphql(question.variables)}))


PRODUCT = Contestant("sanlian", "the product as `serve` runs it", _product, _ask_product, "/health/ready", workers=True)

# -- the bare route


def _ask_bare(name: str, question: Question) -> Request:
    headers = {"Content-Type": "application/json", "X-Caller": question.caller.header}
    return Request(f"/{name}", headers, _json(question.variables))


BARE = Contestant(
    "bare", "a Starlette route with one hand-written statement, caller trusted", python_server("bare"), _ask_bare
)

FIELD: dict[str, Contestant] = {one.name: one for one in (PRODUCT, BARE)}
DEFAULT = tuple(FIELD)
