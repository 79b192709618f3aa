"""What must hold of a dispute, beside policy and state, before an action: as SQL, with the sentence that says what is missing.

The commands and `access.can` ask the same expressions, so what is offered is what succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table, and_, exists, literal_column, not_, select

from db import tables as t
from db.catalog import Row, Sql


@dataclass(frozen=True)
class Guard:
    """A condition on a dispute. `field` and `code` name the mistake where it does not hold; `message` says what to do."""

    field: str
    code: str
    message: str
    holds: Callable[[Row], Sql]


def _some(table: Table, *conditions: Callable[[Row, Table], Sql]) -> Callable[[Row], Sql]:
    def holds(row: Row) -> Sql:
        at = table.alias()
        clauses = [condition(row, at) for condition in conditions]  # type: ignore[arg-type]
        return exists(
            select(literal_column("1")).select_from(at).where(at.c.dispute_id == row["id"], *clauses).correlate(row.at)
        )

    return holds


def _none(table: Table, *conditions: Callable[[Row, Table], Sql]) -> Callable[[Row], Sql]:
    some = _some(table, *conditions)
    return lambda row: not_(some(row))


def _is(column: str, value: str) -> Callable[[Row, Table], Sql]:
    return lambda row, at: at.c[column] == literal_column(f"'{value}'")


def _main_party(row: Row, at: Table) -> Sql:
    return and_(
        at.c.side.in_([literal_column("'APPLICANT'"), literal_column("'RESPONDENT'")]), at.c.withdrawn_on.is_(None)
    )


_NOTIFIED = Guard(
    "id",
    "NOT_NOTIFIED",
    "尚未告知当事人权利义务（人民调解工作若干规定第三十条），请先办理告知。",
    lambda row: row["notified_at"].is_not(None),
)
_NOT_REFUSED = Guard(
    "id",
    "REFUSED",
    "有当事人明确拒绝调解（人民调解法第十七条），不能继续。",
    _none(t.party, _is("consent", "REFUSED"), _main_party),
)
_CONSENTED = Guard(
    "id",
    "NO_CONSENT",
    "各方当事人尚未全部同意调解，请先逐一登记同意。",
    _none(t.party, lambda row, at: at.c.consent.is_distinct_from(literal_column("'CONSENTED'")), _main_party),
)
_NOT_WAITING = Guard(
    "id", "HANDOVER_WAITING", "层级移交尚待接收或退回，请先等待答复。", _none(t.escalation, _is("state", "SENT"))
)
_NOT_TOP = Guard(
    "id", "TOP_TIER", "已在调解中心层级，不能再上交。", lambda row: row["tier"] != literal_column("'CENTRE'")
)
_PERFORMED = Guard(
    "id",
    "NOT_PERFORMED",
    "协议义务尚未全部履行。",
    _none(
        t.obligation,
        lambda row, at: at.c.state.in_([literal_column("'PENDING'"), literal_column("'PARTLY_PERFORMED'")]),
    ),
)
_VISITED = Guard(
    "id",
    "NOT_VISITED",
    "尚未回访（人民调解工作若干规定第三十六条），请先完成一次回访。",
    _some(t.follow_up, lambda row, at: at.c.done_at.is_not(None)),
)
_NO_ALERT = Guard(
    "id",
    "ALERT_OPEN",
    "尚有未关闭的预警，请先处置并写明处置说明。",
    _none(t.alert, lambda row, at: at.c.state != literal_column("'CLOSED'")),
)
_DUE = Guard("id", "NO_DEADLINE", "尚未受理，没有可延长的期限。", lambda row: row["due_on"].is_not(None))

# action on a dispute -> its guards.
GUARDS: dict[str, tuple[Guard, ...]] = {
    "consent": (_NOTIFIED,),
    "record": (_NOTIFIED, _NOT_REFUSED),
    "extend": (_DUE, _NOT_REFUSED),
    "escalate": (_NOT_TOP, _NOT_WAITING),
    "invite": (_CONSENTED,),
    "agree": (_NOTIFIED, _NOT_REFUSED, _CONSENTED),
    "close": (_PERFORMED, _VISITED, _NO_ALERT),
}
