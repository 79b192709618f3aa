"""Structured edits of a policy text, each a frozen value. Lines that an edit does not concern keep every character.

Edits check the form of a text, not its meaning: whether the result is a policy is decided by `compile_policy`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from policies.text import COLUMNS, Line, find_invisible, parse_lines


@dataclass(frozen=True)
class RuleKey:
    """Identifies a rule: at most one has the same role, resource, action, condition (`rows`) and effect (`allow` or `deny`)."""

    role: str
    resource: str
    action: str
    rows: str
    effect: str = "allow"


@dataclass(frozen=True)
class GrantRule:
    """Adds a rule; where a rule of this key exists, adds these field classes (`public|~contact`) to it."""

    rule: RuleKey
    fields: str


@dataclass(frozen=True)
class RevokeRule:
    """Removes a rule."""

    rule: RuleKey


@dataclass(frozen=True)
class ChangeRows:
    """Replaces the condition of a rule."""

    rule: RuleKey
    rows: str


@dataclass(frozen=True)
class ChangeFields:
    """Replaces the field classes of a rule."""

    rule: RuleKey
    fields: str


@dataclass(frozen=True)
class ChangeEffect:
    """Replaces the effect of a rule, together with its field classes."""

    rule: RuleKey
    effect: str
    fields: str


@dataclass(frozen=True)
class AddRole:
    """Declares a role."""

    role: str
    label: str


@dataclass(frozen=True)
class RemoveRole:
    """Removes a role with its rules, what it inherits and what inherits it."""

    role: str


@dataclass(frozen=True)
class AddInheritance:
    """Lets the role have all rules of the inherited role as well."""

    role: str
    inherited: str


@dataclass(frozen=True)
class RemoveInheritance:
    """Takes the rules of the inherited role away from the role."""

    role: str
    inherited: str


@dataclass(frozen=True)
class NameCondition:
    """Defines a named condition; where one of this name exists, replaces its expression and label."""

    name: str
    rows: str
    label: str


Edit = (
    GrantRule
    | RevokeRule
    | ChangeRows
    | ChangeFields
    | ChangeEffect
    | AddRole
    | RemoveRole
    | AddInheritance
    | RemoveInheritance
    | NameCondition
)


class EditRefused(Exception):
    """Edits that cannot be made; `problems`: for each its index among the edits, from 0, and a sentence in Chinese."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__("\n".join(f"第 {index + 1} 项修改：{message}" for index, message in problems))
        self.problems = tuple(problems)


class _CannotEdit(Exception):
    """Why one edit cannot be made, in Chinese."""


def edit(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits, made one after the other. Raises EditRefused with every edit that cannot be made."""
    editor = _Editor(text)
    problems = []
    for index, operation in enumerate(edits):
        try:
            _check(operation)
            editor.apply(operation)
        except _CannotEdit as error:
            problems.append((index, str(error)))
    if problems:
        raise EditRefused(problems)
    return editor.text


def _check(value: Any) -> None:
    """SECURITY: a value is one column of one line. With a comma or a line end in it, it could bring a rule that nobody reviewed."""
    for field in fields(value):
        content = getattr(value, field.name)
        if isinstance(content, RuleKey):
            _check(content)
        elif not content.strip() or content != content.strip():
            raise _CannotEdit(f"{field.name} 不能为空，首尾不能有空格")
        elif any(character in content for character in ',"[]#\t') or find_invisible(content) is not None:
            raise _CannotEdit(f"{field.name} 不能含有逗号、双引号、方括号、#、换行或不可见字符")


class _Editor:
    """A text under edit, as its lines with all their characters but `\\n`."""

    def __init__(self, text: str) -> None:
        self.raw = text.split("\n")

    @property
    def text(self) -> str:
        return "\n".join(self.raw)

    def apply(self, operation: Edit) -> None:
        """Makes one edit. Raises _CannotEdit."""
        match operation:
            case GrantRule(rule=key, fields=added):
                self._grant(key, added)
            case RevokeRule(rule=key):
                self._remove([self._rule(key)])
            case ChangeRows(rule=key, rows=rows):
                line = self._rule(key)
                self._check_unused(replace(key, rows=rows))
                self._write(line, {4: rows})
            case ChangeFields(rule=key, fields=granted):
                self._write(self._rule(key), {5: granted})
            case ChangeEffect(rule=key, effect=effect, fields=granted):
                line = self._rule(key)
                if effect == key.effect:
                    raise _CannotEdit(f"该规则的效果已是 {effect}")
                self._check_unused(replace(key, effect=effect))
                self._write(line, {5: granted, 6: effect})
            case AddRole(role=role, label=label):
                self._add_role(role, label)
            case RemoveRole(role=role):
                self._remove_role(role)
            case AddInheritance(role=role, inherited=inherited):
                self._add_inheritance(role, inherited)
            case RemoveInheritance(role=role, inherited=inherited):
                self._remove_inheritance(role, inherited)
            case NameCondition(name=name, rows=rows, label=label):
                self._name_condition(name, rows, label)

    # -- edits

    def _grant(self, key: RuleKey, added: str) -> None:
        rule = self._find_rule(key)
        if rule is None:
            columns = ["p", key.role, key.resource, key.action, key.rows, added, key.effect]
            self._insert(
                columns,
                lambda line: line.key == "p" and line.columns[:3] == (key.role, key.resource, key.action),
                lambda line: (
                    line.key == "p"
                    and line.columns[0] == key.role
                    and (line.columns[2] == "read") == (key.action == "read")
                ),
                lambda line: line.key == "p" and line.columns[0] == key.role,
                lambda line: line.key == "p",
            )
            return
        granted = rule.columns[4].split("|")
        for token in added.split("|"):
            name = token.removeprefix("~")
            if name in granted or token in granted:
                raise _CannotEdit(f"该规则已有字段类别 {token}")
            granted = [token if existing == f"~{name}" else existing for existing in granted]
            if token not in granted:
                granted.append(token)
        self._write(rule, {5: "|".join(existing for existing in granted if existing != "-") or "-"})

    def _add_role(self, role: str, label: str) -> None:
        if self._find("p3", role):
            raise _CannotEdit(f"已有角色 {role}")
        self._insert(["p3", role, label], lambda line: line.key == "p3")

    def _remove_role(self, role: str) -> None:
        if not self._find("p3", role):
            raise _CannotEdit(f"没有角色 {role}")
        lines = self._find("p3", role) + self._find("p", role) + self._find("g", role)
        self._remove(lines + [line for line in self._lines() if line.key == "g" and line.columns[1] == role])

    def _add_inheritance(self, role: str, inherited: str) -> None:
        if self._find("g", role, inherited):
            raise _CannotEdit(f"{role} 已继承 {inherited}")
        self._insert(
            ["g", role, inherited],
            lambda line: line.key == "g" and line.columns[0] == role,
            lambda line: line.key == "g",
        )

    def _remove_inheritance(self, role: str, inherited: str) -> None:
        lines = self._find("g", role, inherited)
        if not lines:
            raise _CannotEdit(f"{role} 没有直接继承 {inherited}")
        self._remove(lines)

    def _name_condition(self, name: str, rows: str, label: str) -> None:
        lines = self._find("p2", name)
        if lines:
            self._write(lines[0], {2: rows, 3: label})
        else:
            self._insert(["p2", name, rows, label], lambda line: line.key == "p2")

    # -- lookup

    def _lines(self) -> list[Line]:
        return parse_lines(self.text, lambda problem: None)

    def _find(self, key: str, *columns: str) -> list[Line]:
        """The lines of a key that begin with these columns."""
        return [line for line in self._lines() if line.key == key and line.columns[: len(columns)] == columns]

    def _find_rule(self, key: RuleKey) -> Line | None:
        for line in self._find("p", key.role, key.resource, key.action):
            if (_normalised(line.columns[3]), line.columns[5]) == (_normalised(key.rows), key.effect):
                return line
        return None

    def _rule(self, key: RuleKey) -> Line:
        line = self._find_rule(key)
        if line is None:
            raise _CannotEdit(f"没有这样的规则：{key.role}, {key.resource}, {key.action}, {key.rows}, {key.effect}")
        return line

    def _check_unused(self, key: RuleKey) -> None:
        line = self._find_rule(key)
        if line is not None:
            raise _CannotEdit(f"第 {line.number} 行已有角色、资源、动作、条件、效果相同的规则")

    # -- writing

    def _write(self, line: Line, columns: dict[int, str]) -> None:
        """Replaces columns of a line, by number; column 0 is the key."""
        raw = self.raw[line.number - 1]
        for column in sorted(columns, reverse=True):
            start, end = line.span(column)
            raw = raw[:start] + columns[column] + raw[end:]
        self.raw[line.number - 1] = raw

    def _remove(self, lines: list[Line]) -> None:
        numbers = {line.number for line in lines}
        self.raw = [raw for number, raw in enumerate(self.raw, start=1) if number not in numbers]

    def _insert(self, columns: list[str], *places: Callable[[Line], bool]) -> None:
        """Adds a line behind the last line of the first of `places` that any line satisfies; else at the end of the text."""
        assert len(columns) == COLUMNS[columns[0]] + 1
        lines = self._lines()
        neighbours = ([line for line in lines if satisfies(line)] for satisfies in places)
        after = next((matches[-1].number for matches in neighbours if matches), None)
        line_end = "\r" if any(raw.endswith("\r") for raw in self.raw) else ""
        if after is None:
            # Behind the last line with any content, whether the text ends with a line end or not.
            after = max((number for number, raw in enumerate(self.raw, start=1) if raw.strip()), default=0)
        if after == len(self.raw):
            # The last line had no end.
            self.raw[-1:] = [self.raw[-1] + line_end] if self.raw else []
            self.raw.append(", ".join(columns))
        else:
            self.raw.insert(after, ", ".join(columns) + line_end)


def _normalised(rows: str) -> str:
    """A condition with one space for each run of blanks."""
    return re.sub(r"\s+", " ", rows)
