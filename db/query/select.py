"""Plan + Access -> one statement: the roots of a query in one JSON object. Needs no connection to a database."""

from __future__ import annotations

from db.query import plan as p
from db.query.access_paths import AccessPaths
from db.query.epoch import EPOCH_SQL
from db.query.planning_mode import planning_of
from db.query.rows import RowWriter
from db.query.statement import Statement
from db.query.statement_text import StatementText, bind, columns, json_row, or_empty
from db.query.statistics.answer import statistics
from policies.grant import Access

# The setting of a session that bounds the bytes of an answer, and the bound where the session sets none.
MAX_BYTES_SETTING, MAX_BYTES = "sanlian.max_answer_bytes", 8_388_608
_MOST = f"coalesce(nullif(current_setting('{MAX_BYTES_SETTING}', true), '')::int, {MAX_BYTES})"


def select_plan(plan: p.Plan, access: Access) -> Statement:
    """The statement of a plan for callers of this access's shape: columns `epoch`, `data` (UTF-8 JSON), `missing`
    (keys of `plan.nullable` that are null) and `excess` (null; where the data is larger than may leave: its bytes and the limit, and no data)."""
    text = StatementText()
    rows = RowWriter(access, text)
    sql = _select(rows, plan)
    return text.finish(sql, planning_of(AccessPaths(rows.visibility), plan.items))


def _select(rows: RowWriter, plan: p.Plan) -> str:
    members = [(f"v{i}", _root(rows, item)) for i, item in enumerate(plan.items)]
    inner = rows.text.name("answer")
    data = json_row([(item.key, f"{inner}.v{i}") for i, item in enumerate(plan.items)])
    missing = [
        f"CASE WHEN ({inner}.v{i} IS NULL) THEN '{item.key}' END"
        for i, item in enumerate(plan.items)
        if item.key in plan.nullable
    ]
    listed = f"array_remove(ARRAY[{', '.join(missing)}]::TEXT[], NULL)" if missing else "'{}'::text[]"
    # OFFSET 0 keeps PostgreSQL from copying the members into both places that read them.
    whole = rows.text.name("whole")
    made = (
        f"SELECT ({EPOCH_SQL}) AS epoch, convert_to(CAST({data} AS TEXT), 'UTF8') AS data, {listed} AS missing "  # noqa: S608
        f"FROM (SELECT {columns(members)} OFFSET 0) AS {inner} OFFSET 0"
    )
    size = f"octet_length({whole}.data)"
    # SECURITY: what is too large for an answer stays here, so that no process has to hold it.
    return (
        f"SELECT {whole}.epoch, CASE WHEN ({size} <= {_MOST}) THEN {whole}.data END AS data, {whole}.missing, "  # noqa: S608
        f"CASE WHEN ({size} > {_MOST}) THEN ARRAY[{size}, {_MOST}] END AS excess FROM ({made}) AS {whole}"
    )


def _root(rows: RowWriter, item: p.Root) -> str:
    match item:
        case p.Typename(name=name):
            return f"'{name}'"
        case p.Page():
            return rows.page(item)
        case p.Lookup():
            return rows.lookup(item.node, lambda place: rows.equals(place, item.field, item.bind))
        case p.Batch():
            return _batch(rows, item)
        case p.Viewer():
            return _viewer(rows, item)
        case p.Statistics():
            return statistics(rows, item)


def _batch(rows: RowWriter, batch: p.Batch) -> str:
    """`nodes(ids)` as a JSON list in the order of the ids, with null for a row that the caller does not see."""
    asked = rows.text.name("asked")
    branches = [
        f"WHEN ({asked}.kind = '{node.resource}') THEN {rows.lookup(node, lambda place: f'{place.at}.id = {asked}.value')}"
        for node in batch.nodes
    ]
    value = f"CASE {' '.join(branches)} END" if branches else "NULL::json"
    ids = f"{bind(f'{batch.bind}_types', 'TEXT[]')}, {bind(f'{batch.bind}_ids', 'UUID[]')}"
    listed = or_empty(f"json_agg({value} ORDER BY {asked}.place)")
    return f"(SELECT {listed} FROM unnest({ids}) WITH ORDINALITY AS {asked}(kind, value, place))"  # noqa: S608


# The members of `viewer` that the caller's token gives.
_OF_TOKEN = {
    "typename": "'Viewer'",
    "roles": f"to_json({bind('viewer_roles', 'TEXT[]')})",
    "token_expires_at": bind("viewer_token_expires_at", "TIMESTAMP WITH TIME ZONE"),
    "policy_version": bind("viewer_policy_version", "INTEGER"),
}


def _viewer(rows: RowWriter, viewer: p.Viewer) -> str:
    """`viewer` from the binds that the caller's token gives."""
    own = bind("viewer_person_id", "UUID")
    members = [
        (key, rows.person(item, own) if isinstance(item, p.Node) else _OF_TOKEN[item]) for key, item in viewer.items
    ]
    return f"(SELECT {json_row(members)})"
