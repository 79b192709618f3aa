"""The metrics of the county's yearly report: what each is computed from, how it is rounded, and where it is suppressed.

It knows no table: a metric is a sum, or one sum over another, of columns that `db.query.statistics.rollups` adds up. A zero denominator
gives null. Outside the grant `count`, a number from 1 to 4, and a rate of or over so few, is null.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Numeric, case, cast, func, literal_column, null, or_

from db.resources.resource import Sql

# Outside the grant `count`, numbers from one to below this are suppressed.
SUPPRESSED_BELOW = 5
# The expression of a sum by its name.
Sums = Callable[[str], Sql]


@dataclass(frozen=True)
class Metric:
    """A count, a rate or an average.

    `needs`: the fields (resource, field) it is computed from. `numerator`: the name of a sum; over `denominator`, if it is a rate or an
    average. `average`: how many decimals an average shows; a rate, which is at most one, shows four.
    """

    needs: tuple[tuple[str, str], ...]
    numerator: str
    denominator: str | None = None
    average: int | None = None

    @property
    def sums(self) -> tuple[str, ...]:
        """The names of the sums that it is computed from."""
        return (self.numerator,) if self.denominator is None else (self.numerator, self.denominator)


_DAY = (("Dispute", "concluded_at"), ("Dispute", "accepted_at"))
_RESULT = (*_DAY, ("Dispute", "result"))
_AGREED = (*_DAY, ("Agreement", "state"), ("Agreement", "scope"), ("Agreement", "effective_on"))
_SETTLED = (*_AGREED, ("Dispute", "result"))
_VISITED = (*_RESULT, ("FollowUp", "done_at"), ("FollowUp", "result"), ("Obligation", "performed_on"))
_RATED = (*_RESULT, ("FollowUp", "done_at"), ("FollowUp", "satisfaction"))
_PERFORMED = (*_AGREED, ("Obligation", "state"), ("Obligation", "due_on"))

# SECURITY: what a metric needs is visible with every visible dispute (`schema.planning.statistics` refuses it otherwise), so the sums of a
# dispute are the same for whoever may have them; but for `rebounded`, which rests on another dispute.
METRICS: dict[str, Metric] = {
    "registered": Metric((("Dispute", "registered_at"),), "registered"),
    "accepted": Metric(_DAY, "accepted"),
    "concluded": Metric(_DAY, "concluded"),
    "resolved": Metric(_RESULT, "resolved"),
    "agreed": Metric(_AGREED, "agreed"),
    "failed": Metric(_RESULT, "failed"),
    "withdrawn": Metric(_RESULT, "withdrawn"),
    "followed_up": Metric(_VISITED, "followed"),
    "follow_up_rate": Metric(_VISITED, "followed", "resolved"),
    "success_rate_of_accepted": Metric(_AGREED, "agreed", "accepted"),
    "success_rate_of_concluded": Metric(_SETTLED, "agreed", "settled"),
    "performance_rate": Metric(_PERFORMED, "performed", "due"),
    "ratings": Metric(_RATED, "ratings"),
    "satisfaction_rate": Metric(_RATED, "good_ratings", "ratings"),
    "average_satisfaction": Metric(_RATED, "rating_total", "ratings", average=2),
    "average_days": Metric(_SETTLED, "days", "dated", average=1),
    "median_days": Metric(_SETTLED, "median", "dated", average=1),
    "rebound_rate": Metric((*_RESULT, ("Dispute", "state")), "rebounded", "closed"),
    "on_time_rate": Metric((*_DAY, ("Dispute", "due_on")), "on_time", "concluded"),
    "confirmed_rate": Metric((*_AGREED, ("Confirmation", "result")), "confirmed", "agreed"),
    "local_rate": Metric((*_RESULT, ("Referral", "kind")), "local", "concluded"),
}

# The field (resource, field) that each grouping reads.
GROUPS: dict[str, tuple[str, str]] = {
    "TOWN": ("Dispute", "area"),
    "STATE": ("Dispute", "state"),
    "TIER": ("Dispute", "tier"),
    "SUB_CATEGORY": ("Dispute", "sub_category"),
    "SOURCE": ("Dispute", "source"),
    "MONTH": ("Dispute", "concluded_at"),
    "COMPOUND": ("Dispute", "compound"),
}


def metric_value(name: str, sums: Sums, exact: bool) -> Sql:
    """A metric from its sums: rounded, and suppressed where it is too small. `exact`: the caller has the grant `count`."""
    metric = METRICS[name]
    numerator = sums(metric.numerator)
    if metric.denominator is None:
        return numerator if exact else case((_is_small(numerator), null()), else_=numerator)
    denominator = sums(metric.denominator)
    # The median is one already.
    value = (
        numerator if name == "median_days" else cast(numerator, Numeric) / func.nullif(denominator, literal_column("0"))
    )
    value = func.round(value, literal_column(str(4 if metric.average is None else metric.average)))
    if exact:
        return value
    # SECURITY: a rate times its denominator is the numerator, so the rate of a number that is suppressed is suppressed too.
    suppressed = (
        _is_small(denominator) if metric.average is not None else or_(_is_small(denominator), _is_small(numerator))
    )
    return case((suppressed, null()), else_=value)


def _is_small(number: Sql) -> Sql:
    return number.between(literal_column("1"), literal_column(str(SUPPRESSED_BELOW - 1)))
