"""Medians and ratios over rounds."""

import pytest

from tests.bench.summary import Spread, ratio, short, spread


def test_a_figure_is_the_median_with_its_spread() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert spread([1.0, 2.0]).median == 1.5
    assert str(spread([100.0, 1234.5, 20.0])) == "100 (20.0-1,234)"


def test_a_ratio_is_taken_within_each_round() -> None:
    """The machine was twice as slow in the second round: the ratio does not see it."""
    assert ratio([10.0, 20.0, 10.0], [5.0, 10.0, 5.0]) == Spread(2.0, 2.0, 2.0)
    assert ratio([10.0, 30.0], [10.0, 10.0]) == Spread(2.0, 1.0, 3.0)
    with pytest.raises(ValueError, match="missing"):
        ratio([1.0], [1.0, 2.0])


def test_nothing_to_divide_by_is_no_number() -> None:
    assert str(ratio([1.0], [0.0])) == "- (---)"


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.12"), (9.876, "9.88"), (12.34, "12.3"), (1234.5, "1,234"), (float("nan"), "-")]
)
def test_three_digits(value: float, text: str) -> None:
    assert short(value) == text
