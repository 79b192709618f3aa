"""Numbers with a check digit: ID numbers (GB 11643-1999) and unified social credit codes (GB 32100-2015).

Pure functions on text. A correct number says nothing about whether such a person or company exists.
"""

import re
from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I O S V Z
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_CREDIT_CODE = re.compile(rf"[{_CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{_CREDIT_ALPHABET}]{{10}}")

_ORGANIZATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def id_check(digits: str) -> str:
    """The eighteenth character for the first seventeen digits of an ID number."""
    return _ID_CHECKS[sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=True)) % 11]


def is_id_number(text: str) -> bool:
    """Whether form, date and check digit are right (eighteen characters). The area may be one that has been abolished."""
    return _ID_NUMBER.fullmatch(text) is not None and born_on(text) is not None and id_check(text[:17]) == text[17]


def born_on(id_number: str) -> date | None:
    """The day of birth in an ID number of eighteen characters; None where there is no such day."""
    if not _ID_NUMBER.fullmatch(id_number):
        return None
    try:
        return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        return None


def is_minor(born: date, on: date) -> bool:
    """Whether somebody born on a day is under eighteen on another."""
    return (on.year - born.year, on.month, on.day) < (18, born.month, born.day)


def organization_check(code: str) -> str:
    """The ninth character of an organization code (GB 11714), which a credit code holds at places 9 to 17."""
    total = sum(
        _ORGANIZATION_ALPHABET.index(char) * weight for char, weight in zip(code, _ORGANIZATION_WEIGHTS, strict=True)
    )
    return "0X987654321"[total % 11]


def credit_check(code: str) -> str:
    """The eighteenth character for the first seventeen of a unified social credit code."""
    total = sum(_CREDIT_ALPHABET.index(char) * weight for char, weight in zip(code, _CREDIT_WEIGHTS, strict=True))
    return _CREDIT_ALPHABET[-total % 31]


def is_credit_code(text: str) -> bool:
    """Whether the form (eighteen characters) and the last check character are right."""
    return text.isascii() and _CREDIT_CODE.fullmatch(text) is not None and credit_check(text[:17]) == text[17]
