"""The age of parties: it follows from the ID number. What a minor does, a guardian does for them (db/write/case_rules.py)."""

from __future__ import annotations

import datetime as dt

from db.calendar import day_of
from db.canonical import forms
from db.canonical.check_digits import born_on, is_id_number, is_minor
from db.write.transaction import UnitOfWork

_EARLIEST = dt.date(1900, 1, 1)


def is_known_minor(work: UnitOfWork, field: str, id_number: str | None, said: bool | None) -> bool:
    """Whether a party is a minor: as the ID number has it, else as was said. Notes a user error where the two contradict each other."""
    born = _born_on(id_number)
    if born is None:
        return bool(said)
    minor = is_minor(born, day_of(work.now))
    if said is not None and said != minor:
        work.error(field, "CONTRADICTION", "与身份号码中的出生日期不符，请核对；可以不写，由身份号码得出。")
    return minor


def is_possible(work: UnitOfWork, id_number: str) -> bool:
    """Whether an ID number is correct, and whoever has it was born since 1900 and is born by now."""
    born = _born_on(id_number)
    return born is not None and _EARLIEST <= born <= day_of(work.now)


def _born_on(id_number: str | None) -> dt.date | None:
    """The day of birth of whoever has a correct ID number."""
    number = forms.id_number(id_number or "")
    return born_on(number) if is_id_number(number) else None
