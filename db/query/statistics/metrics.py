"""The figures of the county's yearly report: what each is counted from, and how it is rounded and told.

It knows no table: a figure is a sum, or one sum over another, of columns that somebody else adds up. A zero denominator gives null.
Outside the grant `count`, a number from 1 to 4, and a rate of or over so few, is null.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Numeric, case, cast, func, literal_column, null, or_

from db.resources.resource import Sql

SMALL = 5
# Looks a sum up by its name.
Sums = Callable[[str], Sql]


@dataclass(frozen=True)
class Figure:
    """`needs`: the fields (resource, field) it is computed from; `numerator` over `denominator` if it is a rate."""

    needs: tuple[tuple[str, str], ...]
    numerator: str
    denominator: str | None = None
    # How many digits an average shows; a rate, which is at most one, shows four.
    average: int | None = None

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums that it is computed from."""
        return (self.numerator,) if self.denominator is None else (self.numerator, self.denominator)


_DAY = (("Dispute", "concluded_at"), ("Dispute", "accepted_at"), ("Dispute", "state"))
_AGREED = (*_DAY, ("Agreement", "state"), ("Agreement", "scope"), ("Agreement", "effective_on"))
_VISITED = (*_DAY, ("FollowUp", "done_at"))
_RATED = (*_VISITED, ("FollowUp", "satisfaction"))
_PERFORMED = (*_AGREED, ("Obligation", "state"), ("Obligation", "due_on"))

# SECURITY: what a figure needs is visible with every visible dispute (`schema.planning.planner` refuses it otherwise), so the sums of a dispute are
# the same for whoever may have them; but for `rebounded`, which rests on another dispute.
FIGURES: dict[str, Figure] = {
    "registered": Figure((("Dispute", "registered_at"),), "registered"),
    "accepted": Figure(_DAY, "accepted"),
    "concluded": Figure(_DAY, "concluded"),
    "resolved": Figure(_DAY, "resolved"),
    "agreed": Figure(_AGREED, "agreed"),
    "failed": Figure(_DAY, "failed"),
    "withdrawn": Figure(_DAY, "withdrawn"),
    "followed_up": Figure(_VISITED, "followed"),
    "follow_up_rate": Figure(_VISITED, "followed", "resolved"),
    "success_rate_of_accepted": Figure(_AGREED, "agreed", "accepted"),
    "success_rate_of_concluded": Figure(_AGREED, "agreed", "settled"),
    "performance_rate": Figure(_PERFORMED, "performed", "due"),
    "ratings": Figure(_RATED, "ratings"),
    "satisfaction_rate": Figure(_RATED, "good_ratings", "ratings"),
    "average_satisfaction": Figure(_RATED, "rating_total", "ratings", average=2),
    "average_days": Figure(_AGREED, "days", "dated", average=1),
    "median_days": Figure(_AGREED, "median", "dated", average=1),
    "rebound_rate": Figure(_DAY, "rebounded", "closed"),
    "on_time_rate": Figure((*_DAY, ("Dispute", "due_on")), "on_time", "concluded"),
    "confirmed_rate": Figure((*_AGREED, ("Confirmation", "result")), "confirmed", "agreed"),
    "local_rate": Figure((*_DAY, ("Referral", "kind")), "local", "concluded"),
}

# What a group is read from.
GROUPS: dict[str, tuple[str, str]] = {
    "TOWN": ("Dispute", "area"),
    "STATE": ("Dispute", "state"),
    "TIER": ("Dispute", "tier"),
    "SUB_CATEGORY": ("Dispute", "sub_category"),
    "SOURCE": ("Dispute", "source"),
    "MONTH": ("Dispute", "concluded_at"),
    "COMPOUND": ("Dispute", "compound"),
}


def told(name: str, sums: Sums, exact: bool) -> Sql:
    """The figure as it is told."""
    figure = FIGURES[name]
    above = sums(figure.numerator)
    if figure.denominator is None:
        return above if exact else case((_small(above), null()), else_=above)
    below = sums(figure.denominator)
    # The median is one already.
    value = above if name == "median_days" else cast(above, Numeric) / func.nullif(below, literal_column("0"))
    value = func.round(value, literal_column(str(4 if figure.average is None else figure.average)))
    if exact:
        return value
    # SECURITY: a rate times its denominator is the numerator, so a rate of a number too small to be told is not told either.
    untold = _small(below) if figure.average is not None else or_(_small(below), _small(above))
    return case((untold, null()), else_=value)


def _small(number: Sql) -> Sql:
    return number.between(literal_column("1"), literal_column(str(SMALL - 1)))
