"""Finds personal data in a text that many people read: numbers of people, and the names of those whom the text is about.

What is typed in another way is found too: other widths, Chinese numerals, separators between digits, the code of the country. Days,
times and amounts are none.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from itertools import accumulate

from db.canonical.check_digits import born_on, is_id_number
from db.canonical.forms import fold

_NUMERALS = str.maketrans("〇○零一二两三四五六七八九幺壹贰叁肆伍陆柒捌玖", "00012234567891123456789")
_DAYS = re.compile(
    r"(?<!\d)(?:19|20)\d\d ?(?:[-./] ?(?:1[0-2]|0?[1-9]) ?[-./] ?(?:3[01]|[12]\d|0?[1-9])(?!\d)|年(?: ?\d{1,2} ?月(?: ?\d{1,2} ?日)?)?)"
    r"|(?<!\d)(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?!\d)"
    r"|(?<!\d)\d[\d,]*(?:\.\d+)? ?[万亿]?元"
)
# Groups of digits that people write as one number, with what they put between them.
_RUN = re.compile(r"\+?\d+(?:[ \-_.·*/()]{1,3}\d+)*[ \-]?(?:[xX](?![0-9a-zA-Z]))?")
_GROUP = re.compile(r"\d+|X")
_SHORTEST = 10
# At every place of the digits of a run; the group is the number.
_MOBILE = re.compile(r"(?=((?:(?:00)?86)?1[3-9]\d{9}))")
_LANDLINE = re.compile(r"(?=((?:0|(?:00)?860?)(?:10|2\d|[3-9]\d\d)\d{7}))")
_ID_NUMBER = re.compile(r"(?=([1-9]\d{5}(?:19|20)\d\d[01]\d[0-3]\d{4}[\dX]))")
_CARD = re.compile(r"(?=([3-6]\d{15}))")
_PROVINCES = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91")
_OLD_NUMBER = re.compile(r"(?=([1-9]\d{5}[1-9]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}))")
# Words that stand for a person in a register and name nobody.
_NOBODY = frozenset(
    ("业主", "住户", "邻居", "租户", "租客", "房主", "居民", "群众", "某人", "某业主", "匿名", "不详", "未知", "家属")
)


def find_personal_data(text: str, names: Collection[str] = ()) -> list[str]:
    """What kinds of personal data a text tells, in Chinese; empty where it tells none. `names`: those that it must not tell.

    SECURITY: the kinds alone, never what was found.
    """
    folded = fold(text)
    spoken = folded.translate(_NUMERALS)
    kinds = set[str]()
    for reading in {folded, spoken}:
        if sum(map(reading.count, "0123456789")) >= _SHORTEST:
            kinds.update(_kinds_of_numbers(_DAYS.sub("\n", reading)))
    bare = _letters(folded) if names else ""
    if any(_names_somebody(name) and _letters(fold(name)) in bare for name in names):
        kinds.add("当事人姓名")
    return sorted(kinds)


def _kinds_of_numbers(text: str) -> Iterator[str]:
    """The kinds of the numbers that adjacent groups of digits make: a number begins and ends where a group does."""
    for run in _RUN.finditer(text):
        groups = _GROUP.findall(run[0].upper())
        digits, bounds = "".join(groups), {0, *accumulate(map(len, groups))}

        def whole(
            pattern: re.Pattern[str], more: int = 0, digits: str = digits, bounds: set[int] = bounds
        ) -> Iterator[str]:
            for found in pattern.finditer(digits):
                for end in range(found.end(1), found.end(1) + more + 1):
                    if found.start() in bounds and end in bounds:
                        yield digits[found.start() : end]

        if any(whole(_MOBILE)):
            yield "手机号码"
        if any(whole(_LANDLINE, 1)):
            yield "座机号码"
        if any(map(_tells_somebody, whole(_ID_NUMBER))) or any(map(_PROVINCES.match, whole(_OLD_NUMBER))):
            yield "身份号码"
        elif any(number.isdecimal() and _luhn(number) for number in whole(_CARD, 3)):
            yield "银行卡号"


def _tells_somebody(number: str) -> bool:
    """Whether it is an ID number, by its check digit or by a day of birth."""
    return is_id_number(number) or (_PROVINCES.match(number) is not None and born_on(number) is not None)


def _luhn(number: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _names_somebody(name: str) -> bool:
    return len(_letters(fold(name))) >= 2 and name not in _NOBODY


def _letters(text: str) -> str:
    """The letters and digits of a text, without case: a name is found whatever stands between its characters."""
    return "".join(one for one in text.casefold() if unicodedata.category(one)[0] in "LN")
