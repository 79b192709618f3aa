"""Structured edits of a policy text: each a frozen value. The lines that an edit does not speak of stay as they are, to the last blank.

Edits know the form of a text, not its meaning: whether the result is a policy is for `compile_policy` to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from policies.text import COLUMNS, Line, read, unseen


@dataclass(frozen=True)
class RuleKey:
    """Which rule: there is one at most with the same role, resource, action, condition and effect."""

    role: str
    resource: str
    action: str
    rows: str
    effect: str = "allow"


@dataclass(frozen=True)
class GrantRule:
    """A new rule; where there is a rule of this key, these field classes as well."""

    rule: RuleKey
    fields: str


@dataclass(frozen=True)
class RevokeRule:
    """No such rule any more."""

    rule: RuleKey


@dataclass(frozen=True)
class ChangeRows:
    """Another condition."""

    rule: RuleKey
    rows: str


@dataclass(frozen=True)
class ChangeFields:
    """Other field classes."""

    rule: RuleKey
    fields: str


@dataclass(frozen=True)
class ChangeEffect:
    """Allow instead of deny, or the other way round, with the field classes that go with it."""

    rule: RuleKey
    effect: str
    fields: str


@dataclass(frozen=True)
class AddRole:
    """A new role."""

    role: str
    label: str


@dataclass(frozen=True)
class RemoveRole:
    """No such role any more, none of its rules, nothing that it inherits or that inherits it."""

    role: str


@dataclass(frozen=True)
class AddInheritance:
    """The role has all rules of the inherited one as well."""

    role: str
    inherited: str


@dataclass(frozen=True)
class RemoveInheritance:
    """The role no longer has the rules of the inherited one."""

    role: str
    inherited: str


@dataclass(frozen=True)
class NameCondition:
    """A new named condition; where there is one of this name, its expression and label are replaced."""

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
    """An edit that cannot be made; `problems` lists for each its place among the edits, from 0, and a sentence in Chinese."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__("\n".join(f"第 {place + 1} 项修改：{message}" for place, message in problems))
        self.problems = tuple(problems)


class _Impossible(Exception):
    pass


def edit(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits, one after the other. Raises EditRefused with every edit that cannot be made."""
    page = _Page(text)
    problems = []
    for place, one in enumerate(edits):
        try:
            _check(one)
            page.apply(one)
        except _Impossible as impossible:
            problems.append((place, str(impossible)))
    if problems:
        raise EditRefused(problems)
    return page.text


def _check(value: Any) -> None:
    """SECURITY: a value is one column of one line. With a comma or a line end in it, it could bring a rule that nobody reviewed."""
    for field in fields(value):
        held = getattr(value, field.name)
        if isinstance(held, RuleKey):
            _check(held)
        elif not held.strip() or held != held.strip():
            raise _Impossible(f"{field.name} 不能为空，首尾不能有空格")
        elif any(sign in held for sign in ',"[]#\t') or unseen(held) is not None:
            raise _Impossible(f"{field.name} 不能含有逗号、双引号、方括号、#、换行或不可见字符")


class _Page:
    """A text under edit, line by line."""

    def __init__(self, text: str) -> None:
        self.raw = text.split("\n")

    @property
    def text(self) -> str:
        return "\n".join(self.raw)

    def apply(self, one: Edit) -> None:
        match one:
            case GrantRule(rule=key, fields=added):
                self._grant(key, added)
            case RevokeRule(rule=key):
                self._remove([self._rule(key)])
            case ChangeRows(rule=key, rows=rows):
                line = self._rule(key)
                self._free(replace(key, rows=rows))
                self._write(line, {4: rows})
            case ChangeFields(rule=key, fields=granted):
                self._write(self._rule(key), {5: granted})
            case ChangeEffect(rule=key, effect=effect, fields=granted):
                line = self._rule(key)
                if effect == key.effect:
                    raise _Impossible(f"该规则的效果已是 {effect}")
                self._free(replace(key, effect=effect))
                self._write(line, {5: granted, 6: effect})
            case AddRole(role=role, label=label):
                if self._find("p3", role):
                    raise _Impossible(f"已有角色 {role}")
                self._insert(["p3", role, label], lambda line: line.key == "p3")
            case RemoveRole(role=role):
                self._remove_role(role)
            case AddInheritance(role=role, inherited=inherited):
                if self._find("g", role, inherited):
                    raise _Impossible(f"{role} 已继承 {inherited}")
                self._insert(
                    ["g", role, inherited],
                    lambda line: line.key == "g" and line.parts[0] == role,
                    lambda line: line.key == "g",
                )
            case RemoveInheritance(role=role, inherited=inherited):
                found = self._find("g", role, inherited)
                if not found:
                    raise _Impossible(f"{role} 没有直接继承 {inherited}")
                self._remove(found)
            case NameCondition(name=name, rows=rows, label=label):
                known = self._find("p2", name)
                if known:
                    self._write(known[0], {2: rows, 3: label})
                else:
                    self._insert(["p2", name, rows, label], lambda line: line.key == "p2")

    def _grant(self, key: RuleKey, added: str) -> None:
        known = self._same(key)
        if known is None:
            columns = ["p", key.role, key.resource, key.action, key.rows, added, key.effect]
            self._insert(
                columns,
                lambda line: line.key == "p" and line.parts[:3] == (key.role, key.resource, key.action),
                lambda line: (
                    line.key == "p"
                    and line.parts[0] == key.role
                    and (line.parts[2] == "read") == (key.action == "read")
                ),
                lambda line: line.key == "p" and line.parts[0] == key.role,
                lambda line: line.key == "p",
            )
            return
        granted = known.parts[4].split("|")
        for token in added.split("|"):
            name = token.removeprefix("~")
            if name in granted or token in granted:
                raise _Impossible(f"该规则已有字段类别 {token}")
            granted = [token if one == f"~{name}" else one for one in granted]
            if token not in granted:
                granted.append(token)
        self._write(known, {5: "|".join(one for one in granted if one != "-") or "-"})

    def _remove_role(self, role: str) -> None:
        if not self._find("p3", role):
            raise _Impossible(f"没有角色 {role}")
        gone = self._find("p3", role) + self._find("p", role) + self._find("g", role)
        self._remove(gone + [line for line in self._lines() if line.key == "g" and line.parts[1] == role])

    # -- finding

    def _lines(self) -> list[Line]:
        return read(self.text, lambda problem: None)

    def _find(self, key: str, *parts: str) -> list[Line]:
        return [line for line in self._lines() if line.key == key and line.parts[: len(parts)] == parts]

    def _same(self, key: RuleKey) -> Line | None:
        for line in self._find("p", key.role, key.resource, key.action):
            if (_plain(line.parts[3]), line.parts[5]) == (_plain(key.rows), key.effect):
                return line
        return None

    def _rule(self, key: RuleKey) -> Line:
        line = self._same(key)
        if line is None:
            raise _Impossible(f"没有这样的规则：{key.role}, {key.resource}, {key.action}, {key.rows}, {key.effect}")
        return line

    def _free(self, key: RuleKey) -> None:
        line = self._same(key)
        if line is not None:
            raise _Impossible(f"第 {line.number} 行已有角色、资源、动作、条件、效果相同的规则")

    # -- writing

    def _write(self, line: Line, columns: dict[int, str]) -> None:
        raw = self.raw[line.number - 1]
        for part in sorted(columns, reverse=True):
            start, end = line.span(part)
            raw = raw[:start] + columns[part] + raw[end:]
        self.raw[line.number - 1] = raw

    def _remove(self, lines: list[Line]) -> None:
        gone = {line.number for line in lines}
        self.raw = [raw for number, raw in enumerate(self.raw, start=1) if number not in gone]

    def _insert(self, columns: list[str], *places: Callable[[Line], bool]) -> None:
        """A new line behind the last of the first kind of place that there is; else at the end."""
        lines = self._lines()
        after = next((found[-1].number for fits in places if (found := [line for line in lines if fits(line)])), None)
        assert len(columns) == COLUMNS[columns[0]] + 1
        end = "\r" if any(raw.endswith("\r") for raw in self.raw) else ""
        if after is None:
            # Behind the last line that holds anything, whether the text ends with a line end or not.
            after = max((number for number, raw in enumerate(self.raw, start=1) if raw.strip()), default=0)
        if after == len(self.raw):
            # The last line had no end.
            self.raw[-1:] = [self.raw[-1] + end] if self.raw else []
            self.raw.append(", ".join(columns))
        else:
            self.raw.insert(after, ", ".join(columns) + end)


def _plain(rows: str) -> str:
    return re.sub(r"\s+", " ", rows)
