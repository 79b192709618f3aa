"""Reads the documentation: fenced blocks, tables, links and the marks that say how a block is tested.

A mark is an HTML comment in YAML's flow style on the line before a block or a table: `<!-- {as: mediator} -->`. Marks of blocks:
`as` (the role that asks), `variables`, `exit` (the code of a shell block), `skip` (the reason not to run it), `howto` (the how-to
that a block is a step of), `policy` (what a text of the policy is). Marks of tables: `table` (its name).
A `text` block after a shell block is its output, a `json` block after a query is its answer; `…` stands for anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml
from graphql import GraphQLSchema, build_schema

from tests.paths import ROOT

ENGLISH, CHINESE = "README.md", "README.zh-CN.md"
# In this order the examples are run: whoever publishes a policy comes after whoever explains the first one.
DOCUMENTS = (
    ENGLISH,
    CHINESE,
    "schema/README.md",
    "api/README.md",
    "db/README.md",
    "tests/README.md",
    "policies/README.md",
)

_MARK = re.compile(r"^\s*(?:\d+\.\s+)?<!-- (\{.*\}) -->\s*$")
_FENCE = re.compile(r"^(\s*)```(\S*)\s*$")
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language, its text without the indentation of its fence, and its mark.

    `follows`: nothing but empty lines stands between it and the block before.
    """

    document: str
    line: int
    language: str
    text: str
    mark: dict[str, Any] = field(default_factory=dict)
    heading: str = ""
    follows: bool = False

    @property
    def name(self) -> str:
        return f"{self.document}:{self.line}"


@dataclass(frozen=True)
class Table:
    """A table: its header and its rows of cells, with backslashes of escaped signs taken away."""

    document: str
    line: int
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    mark: dict[str, Any] = field(default_factory=dict)


@cache
def read(document: str) -> str:
    """The text of a file of the checkout."""
    return (ROOT / document).read_text(encoding="utf-8")


@cache
def contract() -> GraphQLSchema:
    """The schema of the printed contract."""
    return build_schema(read("schema/schema.graphql"))


@cache
def blocks(document: str) -> tuple[Block, ...]:
    """The fenced blocks of a document in their order."""
    return tuple(_blocks(document))


def _blocks(document: str) -> Iterator[Block]:
    mark: dict[str, Any] = {}
    heading, follows = "", False
    lines = iter(enumerate(read(document).splitlines(), 1))
    for number, line in lines:
        if opened := _FENCE.match(line):
            indent, language = opened.groups()
            inside: list[str] = []
            for _, one in lines:
                if one.strip() == "```":
                    break
                inside.append(one.removeprefix(indent))
            yield Block(document, number, language, "\n".join(inside) + "\n", mark, heading, follows)
            follows = True
        elif line.startswith("#"):
            heading = line.lstrip("# ")
        follows = follows and (not line.strip() or _FENCE.match(line) is not None)
        mark = yaml.safe_load(found.group(1)) if (found := _MARK.match(line)) else {} if line.strip() else mark


@cache
def tables(document: str) -> dict[str, Table]:
    """The tables of a document that have a name: `<!-- {table: settings} -->`."""
    found: dict[str, Table] = {}
    mark: dict[str, Any] = {}
    lines = prose(document).splitlines()
    for number, line in enumerate(lines, 1):
        if matched := _MARK.match(line):
            mark = yaml.safe_load(matched.group(1))
        elif line.startswith("|") and "table" in mark:
            end = next((i for i in range(number - 1, len(lines)) if not lines[i].startswith("|")), len(lines))
            header, _, *rows = (tuple(_cells(one)) for one in lines[number - 1 : end])
            found[mark["table"]] = Table(document, number, header, tuple(rows), mark)
            mark = {}
        elif line.strip():
            mark = {}
    return found


def _cells(line: str) -> Iterator[str]:
    for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")):
        yield re.sub(r"\\([*|_])", r"\1", cell.strip())


@cache
def prose(document: str) -> str:
    """The text outside of fenced blocks; their lines are empty, so that line numbers stay."""
    kept, fenced = [], False
    for line in read(document).splitlines():
        edge = _FENCE.match(line) is not None
        kept.append("" if fenced or edge else line)
        fenced ^= edge
    return "\n".join(kept)


def links(document: str) -> list[str]:
    """The targets of links and pictures."""
    return _LINK.findall(prose(document))


def spans(document: str) -> list[str]:
    """What stands between single backquotes in the text."""
    return re.findall(r"`([^`\n]+)`", prose(document))


def pattern_of(sample: str) -> re.Pattern[str]:
    """What output must match: the sample, where `…` stands for anything, on a line of its own for any lines."""
    lines = (
        r"(?s:.*?)" if line == "…" else re.escape(line).replace("…", ".*?") for line in sample.strip().splitlines()
    )
    return re.compile("\n".join(lines))


def same(expected: Any, actual: Any) -> bool:
    """Whether an answer is the printed one; `"…"` stands for any value."""
    if expected == "…":
        return True
    if isinstance(expected, dict) and isinstance(actual, dict):
        return list(expected) == list(actual) and all(same(expected[key], actual[key]) for key in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    return bool(expected == actual) and type(expected) is type(actual)
