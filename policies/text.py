"""A policy text as lines and columns, each with its position. Refuses characters that make a text look otherwise than it works; uses no
catalog."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

# Of the UTF-8 text.
MAX_BYTES = 8 * 1024 * 1024
# By key the number of columns behind it (model.conf).
COLUMNS = {"p": 6, "p2": 3, "p3": 2, "g": 2}
BLANK = " \t"

# The characters of which nearly every line consists, so that only the others are looked up one by one.
_COMMON = re.compile(r"[ -~\t一-鿿、-】！-～“”‘’…—·]*")
# Unicode categories. Cc: control characters, Cf: invisible ones such as bidirectional overrides, Cs: surrogates, which no file can hold,
# Zl, Zp: line separators that end no line here, Mn, Me: marks on the character before, Co, Cn: characters without a meaning of their own.
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Me", "Co", "Cn"))
# Letters by their category, and yet they show nothing.
_FILLERS = "\u115f\u1160\u3164\uffa0"


@dataclass(frozen=True)
class Problem:
    """One mistake: the line (from 1; 0 for the whole text), a sentence in Chinese, and the column (from 1, in characters; 0 for the whole
    line)."""

    line: int
    message: str
    column: int = 0


@dataclass(frozen=True)
class Line:
    """A line that is neither empty nor a comment: its number (from 1), its key, and the columns behind the key without leading blanks."""

    number: int
    key: str
    columns: tuple[str, ...]
    raw: str

    def span(self, column: int) -> tuple[int, int]:
        """Start and end of a column in `raw`; column 0 is the key."""
        start = 0
        for before in self.raw.split(",")[:column]:
            start += len(before) + 1
        text = self.raw[start:].partition(",")[0].rstrip("\r")
        indent = len(text) - len(text.lstrip(BLANK))
        return start + indent, start + len(text)


def find_invisible(text: str) -> int | None:
    """The index of the first character that is invisible, or that changes how others look; None if there is none."""
    if _COMMON.fullmatch(text):
        return None
    return next(
        (
            index
            for index, character in enumerate(text)
            if character != "\t" and (unicodedata.category(character) in _INVISIBLE or character in _FILLERS)
        ),
        None,
    )


def parse_lines(text: str, refuse: Callable[[Problem], None]) -> list[Line]:
    """The lines of a text without comments and empty ones. A malformed line goes to `refuse` and is left out; so does the whole text
    beyond MAX_BYTES."""
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        refuse(Problem(0, "策略过大（至多 8 MB）"))
        return []
    lines = []
    for number, raw in enumerate(text.split("\n"), start=1):
        content = raw.removesuffix("\r")
        index = find_invisible(content)
        if index is not None:
            refuse(Problem(number, f"含有控制字符或不可见字符（U+{ord(content[index]):04X}）", index + 1))
            continue
        bare = content.strip(BLANK)
        if not bare or bare.startswith("#"):
            continue
        columns = [column.lstrip(BLANK) for column in content.split(",")]
        line = Line(number, columns[0].rstrip(BLANK), tuple(columns[1:]), raw)
        problem = _malformed(line, columns)
        if problem is None:
            lines.append(line)
        else:
            refuse(problem)
    return lines


def _malformed(line: Line, columns: list[str]) -> Problem | None:
    """What is wrong with the form of a line; `columns` with the key."""
    if line.key not in COLUMNS:
        return Problem(line.number, f"未知的行类型 {line.key[:40]!r}，只允许 p、p2、p3、g", line.span(0)[0] + 1)
    if len(line.columns) != COLUMNS[line.key]:
        message = f"{line.key} 行应有 {COLUMNS[line.key]} 列，实有 {len(line.columns)} 列（条件中不能有逗号）"
        return Problem(line.number, message, line.span(min(len(line.columns), COLUMNS[line.key] + 1))[0] + 1)
    for number, column in enumerate(columns):
        if not column:
            return Problem(line.number, f"第 {number} 列不能为空", line.span(number)[0] + 1)
        if column[-1] in BLANK:
            # SECURITY: another reader of the text may keep the blank, and take `deny ` for no effect at all.
            return Problem(line.number, "列末不能有空格", line.span(number)[0] + len(column.rstrip(BLANK)) + 1)
        for index, character in enumerate(column):
            if character in '"[]#':
                return Problem(line.number, "列中不能含有双引号、方括号或 #", line.span(number)[0] + index + 1)
    return None
