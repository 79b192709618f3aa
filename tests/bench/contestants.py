"""The contestants of the benchmark: the product, the floor under it, and what a county's engineers would use instead."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from db.postgres.address import Address
from tests import node
from tests.bench import workload as w
from tests.bench.access import ACCESS, fragments
from tests.bench.contestant import Command, Contestant, Request, Setting, address_of, python_server
from tests.bench.county import Caller, Question
from tests.bench.row_level_security import install_policies

PEERS = Path(__file__).parent / "peers"

_DOCUMENTS = {
    name: " ".join(text.split()) for name, text in {"Q1": w.Q1, "Q2": w.Q2, "Q3": w.Q3, "Q4": w.Q4, "Q5": w.Q5}.items()
}
READS = frozenset(_DOCUMENTS)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def cursor(position: tuple[str, str], mark: str | None = None) -> str:
    """The product's cursor, which the peers written here share: the values of the order's keys, after the mark of the question."""
    return base64.b64encode(_json([*([] if mark is None else [mark]), *position])).decode()


def _graphql(variables: dict[str, Any], mark: str | None = None) -> dict[str, Any]:
    after = variables.get("after")
    return {**variables, "after": cursor(after, mark)} if after else variables


def node_server(
    module: str,
    before: Callable[[Address], Coroutine[Any, Any, None]] | None = None,
    extra: Callable[[], str] = str,
) -> Command:
    """The command of a peer that runs on Node.js; `before` prepares the database for it, `extra` is its last argument."""

    def command(setting: Setting) -> tuple[list[str], dict[str, str]]:
        program = node.install_locked(PEERS).program
        if before is not None:
            asyncio.run(before(setting.address))
        arguments = [program, str(PEERS / module), str(setting.port), json.dumps(address_of(setting)), extra()]
        return arguments, {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}

    return command


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
    document = question.documents["sanlian"] if question.documents else _DOCUMENTS[name]
    return _to_product(question, document, _graphql(question.variables, question.mark))


def _ask_for_mark(name: str, question: Question) -> Request:
    """The first page of the question, with its last cursor."""
    document = question.documents["sanlian"] if question.documents else _DOCUMENTS[name]
    document = document.replace(" nodes {", " pageInfo { endCursor } nodes {", 1)
    return _to_product(question, document, {**question.variables, "after": None})


def _mark_of(answer: bytes) -> str | None:
    """The mark of a cursor; None where it is only a position, as in earlier commits."""
    at = json.loads(answer)["data"]["disputes"]["pageInfo"]["endCursor"]
    values = [] if at is None else json.loads(base64.b64decode(at))
    return values[0] if len(values) == 3 else None


def _to_product(question: Question, document: str, variables: dict[str, Any]) -> Request:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {question.caller.token}"}
    return Request("/graphql", headers, _json({"query": document, "variables": variables}))


PRODUCT = Contestant(
    "sanlian",
    "the product as `serve` runs it",
    _product,
    _ask_product,
    "/health/ready",
    workers=True,
    several_appointments=True,
    mark=(_ask_for_mark, _mark_of),
)


def _beside(setting: Setting) -> tuple[list[str], dict[str, str]]:
    (interpreter, _, *arguments), environment = _product(setting)
    run = (
        f"import runpy, sys; sys.path[0], sys.argv = {str(setting.beside)!r}, {arguments!r}; "
        "runpy.run_module('api', run_name='__main__', alter_sys=True)"
    )
    return [interpreter, "-c", run], environment


BESIDE = replace(
    PRODUCT,
    name="beside",
    description="the product of the checkout that `--beside` names, with this interpreter and this database",
    command=_beside,
    workers=False,
)

# -- the bare route: hand-written SQL


def _ask_hand_written_route(name: str, question: Question) -> Request:
    headers = {"Content-Type": "application/json", "X-Caller": question.caller.header}
    return Request(f"/{name}", headers, _json(question.variables))


HAND_WRITTEN = Contestant(
    "bare",
    "a Starlette route with one hand-written statement, caller trusted",
    python_server("hand_written"),
    _ask_hand_written_route,
)

# -- PostGraphile: the same questions in the words of the schema that it makes of the tables

_POSTGRAPHILE = {
    name: " ".join(text.split())
    for name, text in {
        "Q1": """
query Page($first: Int!, $after: Cursor) {
  disputes: allDisputes(first: $first, after: $after, orderBy: [REGISTERED_AT_DESC, ROW_ID_DESC]) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id: rowId caseNumber title category subCategory source state tier registeredAt acceptedAt dueOn concludedAt version
      compound: compoundByCompoundId { name }
      leadMediator: lead { name }
      parties: partiesByDisputeId(orderBy: [SIDE_ASC, ROW_ID_ASC]) {
        nodes { id: rowId side kind name: shownName phone: shownPhone }
      }
      assignments: assignmentsByDisputeIdAndDisputeRegisteredAt(orderBy: [ASSIGNED_AT_ASC, ROW_ID_ASC]) {
        nodes { isLead mode assignedAt mediator: person { name } }
      }
    }
  }
}""",
        "Q2": """
query One($id: UUID!) {
  dispute: disputeByRowId(rowId: $id) {
    id: rowId caseNumber title category subCategory source state tier riskLevel amountClaimed peopleCount summary
    publicSummary occurredOn registeredAt acceptedAt dueOn concludedAt closedAt outcome version
    compound: compoundByCompoundId { name address }
    leadMediator: lead { name }
    parties: partiesByDisputeId(orderBy: [SIDE_ASC, ROW_ID_ASC]) {
      nodes {
        id: rowId side kind name: shownName phone: shownPhone address: shownAddress consent consentOn
        company: companyByCompanyId { name }
      }
    }
    assignments: assignmentsByDisputeIdAndDisputeRegisteredAt(orderBy: [ASSIGNED_AT_ASC, ROW_ID_ASC]) {
      nodes { isLead mode assignedAt mediator: person { name } }
    }
    sessions: sessionsByDisputeId(orderBy: [HELD_AT_ASC, ROW_ID_ASC]) { nodes { heldAt place isJoint result record } }
    agreements: agreementsByDisputeId(orderBy: [AGREED_ON_ASC, ROW_ID_ASC]) {
      nodes {
        form scope state content agreedOn effectiveOn
        obligations: obligationsByAgreementIdAndDisputeId(orderBy: [DUE_ON_ASC, ROW_ID_ASC]) {
          nodes { kind content amount dueOn state performedOn }
        }
      }
    }
    followUps: followUpsByDisputeId(orderBy: [DUE_ON_ASC, ROW_ID_ASC]) {
      nodes { dueOn doneAt method result satisfaction remark }
    }
    referrals: referralsByDisputeIdAndDisputeRegisteredAt(orderBy: [SENT_AT_ASC, ROW_ID_ASC]) {
      nodes { kind state sentAt reason organization: organizationByOrganizationId { name } }
    }
  }
}""",
        "Q3": """
query Found($state: String, $subCategory: String) {
  disputes: allDisputes(
    first: 20, orderBy: [REGISTERED_AT_DESC, ROW_ID_DESC], condition: {state: $state, subCategory: $subCategory}
  ) {
    totalCount
    pageInfo { hasNextPage }
    nodes {
      id: rowId caseNumber title state registeredAt concludedAt
      compound: compoundByCompoundId { name }
      parties: partiesByDisputeId(orderBy: [SIDE_ASC, ROW_ID_ASC]) { nodes { side name: shownName phone: shownPhone } }
    }
  }
}""",
        "Q4": """
query Figures {
  byTown: figuresByTown { groups: nodes { key label registered accepted concluded resolved } }
  byState: figuresByState { groups: nodes { key registered accepted concluded resolved } }
}""",
        "Q5": """
query Day {
  disputes: openDisputes(first: 50) {
    nodes {
      id: rowId caseNumber title state dueOn overdue
      compound: compoundByCompoundId { name }
      leadMediator: lead { name }
      parties: partiesByDisputeId(orderBy: [SIDE_ASC, ROW_ID_ASC]) { nodes { side name: shownName phone: shownPhone } }
    }
  }
  followUps: overdueVisits(first: 20) {
    nodes { id: rowId dueOn overdue dispute: disputeByDisputeId { caseNumber title } }
  }
}""",
    }.items()
}
# What its cursors begin with: the digest of the order of Q1.
_ORDER = "8f51a6243c"
_PARTS = frozenset({"parties", "assignments", "sessions", "agreements", "obligations", "followUps", "referrals"})


def _ask_postgraphile(name: str, question: Question) -> Request:
    variables = {key: _postgraphile(key, value) for key, value in question.variables.items()}
    headers = {"Content-Type": "application/json", "X-Caller": question.caller.header}
    document = question.documents["postgraphile"] if question.documents else _POSTGRAPHILE[name]
    return Request("/graphql", headers, _json({"query": document, "variables": variables}))


def _postgraphile(name: str, value: Any) -> Any:
    if name == "after":
        return value and base64.b64encode(_json([_ORDER, *value])).decode()
    if name == "id":
        return value.removeprefix("Dispute:")
    return value[0] if isinstance(value, list) else value


def _flat(value: Any, depth: int = 0) -> Any:
    """Lists in place of the connections that PostGraphile makes of every relation."""
    if isinstance(value, list):
        return [_flat(inner, depth + 1) for inner in value]
    if isinstance(value, dict):
        return {
            name: [_flat(row, depth + 1) for row in inner["nodes"]]
            if depth and name in _PARTS
            else _flat(inner, depth + 1)
            for name, inner in value.items()
        }
    return value


POSTGRAPHILE = Contestant(
    "postgraphile",
    "PostGraphile with row-level security, caller trusted",
    node_server("postgraphile.mjs", install_policies),
    _ask_postgraphile,
    normalize=lambda name, answer: _flat(answer),
)

# -- Yoga and plain Strawberry: written by hand, with the product's own documents


def _ask_by_hand(name: str, question: Question) -> Request:
    headers = {"Content-Type": "application/json", "X-Caller": question.caller.header}
    return Request("/graphql", headers, _json({"query": _DOCUMENTS[name], "variables": _graphql(question.variables)}))


YOGA = Contestant(
    "yoga",
    "GraphQL Yoga with dataloaders, written by hand, caller trusted",
    node_server("yoga.mjs", extra=lambda: json.dumps({role: fragments(role) for role in ACCESS})),
    _ask_by_hand,
)
STRAWBERRY = Contestant(
    "strawberry",
    "plain Strawberry with async SQLAlchemy and dataloaders, caller trusted",
    python_server("strawberry_server"),
    _ask_by_hand,
)

# -- the contestants that write, and how a command (caller, kind, input) is sent

_MUTATIONS = {
    name: " ".join(text.split()) for name, text in {"W1": w.W1, "record": w.W2_RECORD, "visit": w.W2_VISIT}.items()
}


def _write_product(caller: Caller, kind: str, values: dict[str, Any]) -> Request:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {caller.token}"}
    return Request("/graphql", headers, _json({"query": _MUTATIONS[kind], "variables": {"input": values}}))


def _write_by_hand(caller: Caller, kind: str, values: dict[str, Any]) -> Request:
    headers = {"Content-Type": "application/json", "X-Caller": caller.header}
    return Request(f"/write/{kind}", headers, _json(values))


WRITERS: dict[str, Callable[[Caller, str, dict[str, Any]], Request]] = {
    "sanlian": _write_product,
    "beside": _write_product,
    "bare": _write_by_hand,
}

_FIELD = (PRODUCT, HAND_WRITTEN, POSTGRAPHILE, YOGA, STRAWBERRY)
CONTESTANTS: dict[str, Contestant] = {one.name: one for one in (*_FIELD, BESIDE)}
DEFAULT = tuple(one.name for one in _FIELD)
