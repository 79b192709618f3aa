"""A policy text as lines and columns, each with its place. Refuses signs that make a text read otherwise than it works; knows no catalog."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

MAX_BYTES = 8 * 1024 * 1024
COLUMNS = {"p": 6, "p2": 3, "p3": 2, "g": 2}
BLANK = " \t"

# The signs of which nearly every line consists, so that the others alone are looked up one by one.
_PLAIN = re.compile(r"[ -~\t一-鿿、-】！-～“”‘’…—·]*")
# Cc: control characters, Cf: invisible ones such as bidirectional overrides, Cs: halves of a character, which no file can hold,
# Zl, Zp: line ends that are none, Mn, Me: marks on the sign before, Co, Cn: signs without a meaning of their own.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Me", "Co", "Cn"))
# Letters by their category, and yet they show nothing.
_FILLERS = "\u115f\u1160\u3164\uffa0"


@dataclass(frozen=True)
class Problem:
    """One mistake: the line (1-based; 0 for the whole text), a sentence in Chinese, and the column (1-based, in signs; 0 for the line)."""

    line: int
    message: str
    column: int = 0


@dataclass(frozen=True)
class Line:
    """A line that says something: its key and the columns behind it, without the blanks before them."""

    number: int
    key: str
    parts: tuple[str, ...]
    raw: str

    def span(self, part: int) -> tuple[int, int]:
        """Where a column stands in the line; part 0 is the key."""
        start = 0
        for column in self.raw.split(",")[:part]:
            start += len(column) + 1
        text = self.raw[start:].partition(",")[0].rstrip("\r")
        indent = len(text) - len(text.lstrip(BLANK))
        return start + indent, start + len(text)


def unseen(text: str) -> int | None:
    """Where the first sign stands that nobody sees, or that changes how others are seen; None if there is none."""
    if _PLAIN.fullmatch(text):
        return None
    return next(
        (
            place
            for place, sign in enumerate(text)
            if sign != "\t" and (unicodedata.category(sign) in _UNSEEN or sign in _FILLERS)
        ),
        None,
    )


def read(text: str, refuse: Callable[[Problem], None]) -> list[Line]:
    """The lines of a text but for comments and empty ones; what is wrong with a line's form is refused, and the line left out."""
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        refuse(Problem(0, "策略过大（至多 8 MB）"))
        return []
    found = []
    for number, raw in enumerate(text.split("\n"), start=1):
        content = raw.removesuffix("\r")
        place = unseen(content)
        if place is not None:
            refuse(Problem(number, f"含有控制字符或不可见字符（U+{ord(content[place]):04X}）", place + 1))
            continue
        bare = content.strip(BLANK)
        if not bare or bare.startswith("#"):
            continue
        columns = [column.lstrip(BLANK) for column in content.split(",")]
        line = Line(number, columns[0].rstrip(BLANK), tuple(columns[1:]), raw)
        problem = _form(line, columns)
        if problem is None:
            found.append(line)
        else:
            refuse(problem)
    return found


def _form(line: Line, columns: list[str]) -> Problem | None:
    if line.key not in COLUMNS:
        return Problem(line.number, f"未知的行类型 {line.key[:40]!r}，只允许 p、p2、p3、g", line.span(0)[0] + 1)
    if len(line.parts) != COLUMNS[line.key]:
        message = f"{line.key} 行应有 {COLUMNS[line.key]} 列，实有 {len(line.parts)} 列（条件中不能有逗号）"
        return Problem(line.number, message, line.span(min(len(line.parts), COLUMNS[line.key] + 1))[0] + 1)
    for part, column in enumerate(columns):
        if not column:
            return Problem(line.number, f"第 {part} 列不能为空", line.span(part)[0] + 1)
        if column[-1] in BLANK:
            # SECURITY: another reader of the text may keep the blank, and take `deny ` for no effect at all.
            return Problem(line.number, "列末不能有空格", line.span(part)[0] + len(column.rstrip(BLANK)) + 1)
        for place, sign in enumerate(column):
            if sign in '"[]#':
                return Problem(line.number, "列中不能含有双引号、方括号或 #", line.span(part)[0] + place + 1)
    return None
