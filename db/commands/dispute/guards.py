"""Guards of a dispute that commands of several stages share."""

from __future__ import annotations

from sqlalchemy import Table, and_, func, literal_column, not_

from db import tables as t
from db.resources.guards import CALLER_ID, Guard, equals, none, some
from db.resources.resource import Row, Sql, literals
from db.tables.party import MAIN_SIDES


def _main_party(row: Row, at: Table) -> Sql:
    return and_(at.c.side.in_(literals(MAIN_SIDES)), at.c.withdrawn_on.is_(None))


NOTIFIED = Guard(
    "id",
    "NOT_NOTIFIED",
    "尚未告知当事人权利义务（《人民调解工作若干规定》第三十条），请先办理告知。",
    lambda row: row["notified_at"].is_not(None),
)
NOT_REFUSED = Guard(
    "id",
    "REFUSED",
    "有当事人明确拒绝调解（《人民调解法》第十七条），不能继续。",
    none(t.party, equals("consent", "REFUSED"), _main_party),
)
CONSENTED = Guard(
    "id",
    "NO_CONSENT",
    "各方当事人尚未全部同意调解，请先逐一登记同意。",
    none(t.party, lambda row, at: at.c.consent.is_distinct_from(literal_column("'CONSENTED'")), _main_party),
)
TALKED = Guard(
    "id",
    "NO_SESSION",
    "尚未记录调解（《人民调解法》第二十七条），请先记录一次，当场达成的也要记录。",
    some(t.session),
)
# A house rule against invented cases: who alone registered, accepted, mediated and signed does not also close.
SECOND_HAND = Guard(
    "id",
    "SECOND_HAND",
    "登记、受理、调解、签章都由您一人经手的，须由司法所或另一名承办人结案。",
    lambda row: not_(and_(row["one_hand"], func.coalesce(row["hand_id"] == CALLER_ID, literal_column("false")))),
)
NO_HANDOVER_WAITING = Guard(
    "id", "HANDOVER_WAITING", "层级移交尚待接收或退回，请先等待答复。", none(t.escalation, equals("state", "SENT"))
)
# The policy says that it waits for the caller's organization; here, that it does wait.
HANDOVER_WAITING = Guard("id", "NOTHING_WAITING", "没有待接收的层级移交。", some(t.escalation, equals("state", "SENT")))
