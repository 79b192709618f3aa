"""Amounts of money in inputs."""

from __future__ import annotations

from decimal import Decimal

from db.write.transaction import UnitOfWork

_CENT = Decimal("0.01")
_MOST = Decimal(10) ** 12


def check_money(work: UnitOfWork, field: str, amount: Decimal | None) -> bool:
    """Money is not negative and has no more than two decimals. Returns whether the amount can be used in sums."""
    if amount is None:
        return False
    if amount < 0:
        work.error(field, "NEGATIVE", "金额不能为负数。")
    elif amount >= _MOST or amount != amount.quantize(_CENT):
        work.error(field, "BAD_MONEY", "金额以元计，至多两位小数，小于一万亿元。")
    else:
        return True
    return False
