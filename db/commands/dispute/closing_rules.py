"""What must be settled before a dispute is closed or archived: one list for every way to its end."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, func, literal_column, not_, or_, select

from db import tables as t
from db.resources.aliases import alias
from db.resources.guards import Guard, none
from db.resources.resource import Row, Sql, is_in, literals
from db.tables.dispute import AFTER_PERFORMANCE_STATES
from db.tables.follow_up import REACHED_RESULTS
from db.tables.obligation import UNSETTLED_STATES

_ONE: ColumnElement[int] = literal_column("1")


def last_performed_on(row: Row) -> Sql:
    """The day of the last performance of a dispute; null where nothing was performed."""
    at = alias(t.obligation)
    last = select(func.max(at.c.performed_on)).select_from(at).where(at.c.dispute_id == row.dispute_id)
    return last.correlate_except(at).scalar_subquery()


def _visited(row: Row) -> Sql:
    """若干规定 Art. 36: after an agreement somebody was reached on the day of the last performance or later."""
    at = alias(t.follow_up)
    visit = select(_ONE).select_from(at).where(
        at.c.dispute_id == row["id"],
        at.c.result.in_(literals(REACHED_RESULTS)),
        at.c.done_at >= func.coalesce(last_performed_on(row), at.c.done_at),
    )  # fmt: skip
    agreed = func.coalesce(is_in(row["result"], *AFTER_PERFORMANCE_STATES), literal_column("false"))
    return or_(not_(agreed), exists(visit.correlate(row.at)))


def _answered(row: Row) -> Sql:
    """A visit that finds the old dispute back, or the agreement unperformed, is followed by one that does not, or the dispute is reopened."""
    bad, good, again = alias(t.follow_up), alias(t.follow_up), alias(t.dispute)
    later = or_(good.c.done_at > bad.c.done_at, and_(good.c.done_at == bad.c.done_at, good.c.id > bad.c.id))
    put_right = (
        select(_ONE)
        .select_from(good)
        .where(good.c.dispute_id == bad.c.dispute_id, good.c.result == literal_column("'NORMAL'"), later)
        .correlate(bad)
    )
    left = (
        select(_ONE)
        .select_from(bad)
        .where(
            bad.c.dispute_id == row["id"],
            bad.c.result.in_(literals(("REBOUNDED", "NOT_PERFORMED"))),
            not_(exists(put_right)),
        )
        .correlate(row.at)
    )
    reopened = select(_ONE).select_from(again).where(again.c.previous_id == row["id"]).correlate(row.at)
    return or_(not_(exists(left)), exists(reopened))


NO_SUIT_PENDING = Guard(
    "id",
    "SUIT_PENDING",
    "当事人已就协议起诉（《人民调解法》第三十二条），请先登记裁判结果。",
    none(t.agreement, lambda row, at: and_(at.c.sued_on.is_not(None), at.c.suit_result.is_(None))),
)

CLOSING_RULES = (
    Guard(
        "id",
        "NOT_PERFORMED",
        "协议义务尚未全部履行或依法了结。",
        none(t.obligation, lambda row, at: at.c.state.in_(literals(UNSETTLED_STATES))),
    ),
    NO_SUIT_PENDING,
    Guard(
        "id",
        "CONFIRMATION_PENDING",
        "司法确认的申请尚无结果，请等待法庭登记裁定或准许撤回。",
        none(t.confirmation, lambda row, at: at.c.result.is_(None)),
    ),
    Guard(
        "id",
        "NOT_VISITED",
        "履行之后尚未回访到当事人（《人民调解工作若干规定》第三十六条），请先完成一次回访。",
        _visited,
    ),
    Guard(
        "id",
        "VISIT_DUE",
        "尚有安排而未进行的回访，请先完成。",
        none(t.follow_up, lambda row, at: at.c.done_at.is_(None)),
    ),
    Guard("id", "REBOUNDED", "回访发现反弹或未履行，请再次回访并查明已经正常，或登记再立。", _answered),
    Guard(
        "id",
        "ALERT_OPEN",
        "尚有未关闭的预警，请先处置并写明处置说明。",
        # A cluster hangs on the latest dispute of a compound or company, but is not about that dispute.
        none(
            t.alert,
            lambda row, at: and_(
                at.c.state != literal_column("'CLOSED'"), at.c.compound_id.is_(None), at.c.company_id.is_(None)
            ),
        ),
    ),
)
