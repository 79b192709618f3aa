"""What rounds amount to: medians, and ratios between contestants round by round with their spread. Pure arithmetic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """A figure over the rounds."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{short(self.median)} ({short(self.least)}-{short(self.most)})"


def spread(values: Sequence[float]) -> Spread:
    """Median, least and most of the rounds."""
    return Spread(median(values), min(values), max(values))


def ratio(values: Sequence[float], base: Sequence[float]) -> Spread:
    """The ratio of two contestants, taken within each round, so that what slows the machine slows both sides of it."""
    if len(values) != len(base):
        raise ValueError("rounds are missing")
    return spread([value / against if against else float("inf") for value, against in zip(values, base, strict=True)])


def short(value: float) -> str:
    """Three digits."""
    if not math.isfinite(value):
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
