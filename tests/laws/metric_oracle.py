"""The metrics, computed from plain rows by the formulas of their descriptions. It uses no SQL and none of the rollups."""

import datetime as dt
import statistics
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol
from uuid import UUID

from tests.laws.visibility_oracle import ZONE, Record, Snapshot, global_id

Day = dt.date | None


class RowScope(Protocol):
    """The rows of each resource in a caller's reach."""

    def ids(self, resource: str) -> set[UUID]: ...


def day_of(instant: dt.datetime | None) -> Day:
    return instant and instant.astimezone(ZONE).date()


class MetricOracle:
    """The metrics of some disputes in a period. A metric is a number, or a numerator with its denominator."""

    def __init__(self, snapshot: Snapshot, rights: RowScope, since: Day, until: Day) -> None:
        self.snapshot, self.rights, self.since, self.until = snapshot, rights, since, until

    def within(self, instant: dt.datetime | None) -> bool:
        day = day_of(instant)
        return (
            day is not None and (self.since is None or day >= self.since) and (self.until is None or day <= self.until)
        )

    def parts(self, resource: str, row: Record) -> list[Record]:
        seen = self.rights.ids(resource)
        return [one for one in self.snapshot.index(resource, "dispute_id")[row["id"]] if one["id"] in seen]

    def effective(self, row: Record) -> list[Record]:
        return [one for one in self.parts("Agreement", row) if one["state"] in ("EFFECTIVE", "VARIED")]

    def full(self, row: Record) -> list[Record]:
        return [one for one in self.effective(row) if one["scope"] == "FULL"]

    def visits(self, row: Record) -> list[Record]:
        return [one for one in self.parts("FollowUp", row) if one["done_at"] is not None]

    def reached(self, row: Record) -> bool:
        """Whether a visit reached somebody on the day of the last performance or later."""
        performed = [duty["performed_on"] for duty in self.parts("Obligation", row) if duty["performed_on"] is not None]
        return any(
            one["result"] in ("NORMAL", "REBOUND_SIGNS", "REBOUNDED")
            and (not performed or one["done_at"] >= max(performed))
            for one in self.visits(row)
        )

    def days(self, row: Record) -> int | None:
        began, dates = day_of(row["accepted_at"]), [one["effective_on"] for one in self.full(row)]
        return (min(dates) - began).days if dates and began else None

    def due(self, row: Record) -> Iterable[tuple[Record, list[Record]]]:
        for one in self.effective(row):
            duties = [duty for duty in self.parts("Obligation", row) if duty["agreement_id"] == one["id"]]
            if duties and max(duty["due_on"] for duty in duties) < self.snapshot.today:
                yield one, duties

    def metrics(self, rows: list[Record]) -> dict[str, Any]:
        concluded = [row for row in rows if row["accepted_at"] and self.within(row["concluded_at"])]
        resolved = [row for row in concluded if row["result"] == "PERFORMED"]
        agreed = [row for row in concluded if self.full(row)]
        partly = [row for row in concluded if not self.full(row) and self.effective(row)]
        failed = [row for row in concluded if row["result"] == "FAILED"]
        withdrawn = [row for row in concluded if row["result"] == "WITHDRAWN"]
        followed = [row for row in resolved if self.reached(row)]
        accepted = [row for row in rows if self.within(row["accepted_at"])]
        closed = [
            row
            for row in concluded
            if row["state"] in ("CLOSED", "ARCHIVED") and row["result"] in ("PERFORMED", "UNPERFORMED")
        ]
        ratings = [
            one["satisfaction"] for row in resolved for one in self.visits(row) if one["satisfaction"] is not None
        ]
        days = [days for row in resolved if (days := self.days(row)) is not None]
        due = [duties for row in concluded for _, duties in self.due(row)]
        fulfilled = [duties for duties in due if all(one["state"] in ("PERFORMED", "ENFORCED") for one in duties)]
        ended = {row["id"] for row in (*agreed, *partly, *failed, *withdrawn)}
        confirmed = [
            row for row in agreed if any(one["result"] == "CONFIRMED" for one in self.parts("Confirmation", row))
        ]
        sent_on = ("COURT_REFERRAL", "TRANSFER")
        local = [row for row in resolved if not any(one["kind"] in sent_on for one in self.parts("Referral", row))]
        reach = self.rights.ids("Dispute")

        def rebounded(row: Record) -> bool:
            return any(
                later["id"] in reach and later["registered_at"] <= row["closed_at"] + dt.timedelta(days=180)
                for later in self.snapshot.index("Dispute", "previous_id")[row["id"]]
            )

        on_time = [
            row for row in concluded if row["due_on"] and (day_of(row["concluded_at"]) or dt.date.max) <= row["due_on"]
        ]
        return {
            "registered": sum(self.within(row["registered_at"]) for row in rows),
            "accepted": len(accepted),
            "concluded": len(concluded),
            "resolved": len(resolved),
            "agreed": len(agreed),
            "failed": len(failed),
            "withdrawn": len(withdrawn),
            "followed_up": len(followed),
            "ratings": len(ratings),
            "follow_up_rate": (len(followed), len(resolved), 4),
            "success_rate_of_accepted": (len(agreed), len(accepted), 4),
            "success_rate_of_concluded": (len(agreed), len(ended), 4),
            "performance_rate": (len(fulfilled), len(due), 4),
            "satisfaction_rate": (sum(one >= 3 for one in ratings), len(ratings), 4),
            "average_satisfaction": (sum(ratings), len(ratings), 2),
            "average_days": (sum(days), len(days), 1),
            "median_days": (statistics.median(days) * len(days) if days else 0, len(days), 1),
            "on_time_rate": (len(on_time), len(concluded), 4),
            "confirmed_rate": (len(confirmed), len(agreed), 4),
            "local_rate": (len(local), len(concluded), 4),
            "rebound_rate": (sum(rebounded(row) for row in closed), len(closed), 4),
        }


def disclosed(metric: Any, exact: bool) -> Any:
    """The metric as it is disclosed: rounded; nothing over zero; without the grant, no number from one to four and nothing made of one."""
    if isinstance(metric, int):
        return metric if exact or not 1 <= metric <= 4 else None
    numerator, denominator, digits = metric
    small = 1 <= denominator <= 4 or (digits == 4 and 1 <= numerator <= 4)
    if denominator == 0 or (small and not exact):
        return None
    value = Decimal(str(numerator)) / Decimal(denominator)
    return float(value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


# Which group a dispute is in.
GROUPS: dict[str, Callable[[Record], Any]] = {
    "TOWN": lambda row: row["town_code"],
    "STATE": lambda row: row["state"],
    "TIER": lambda row: row["tier"],
    "SUB_CATEGORY": lambda row: row["sub_category"],
    "SOURCE": lambda row: row["source"],
    "MONTH": lambda row: row["concluded_at"] and row["concluded_at"].astimezone(ZONE).strftime("%Y-%m"),
    "COMPOUND": lambda row: global_id("Compound", row["compound_id"]),
}
