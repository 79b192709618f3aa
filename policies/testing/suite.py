"""Policy tests as a text: people, facts of a row, and what each should see and do. Everything that a test does not name is withheld.

The text is YAML without its traps: plain texts, lists and maps, no references, no types. Knows no way to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policies.catalog import FIELD_CLASSES, Resource
from policies.grant import Appointment, cells_of
from policies.policy import Policy
from policies.text import Problem, unseen
from policies.words import action_words

SUITE_PATH = Path(__file__).parents[1] / "tests.yaml"
MAX_BYTES = 1024 * 1024
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True)
class Case:
    """One person and one row, on a line of a named text. `expected`: by action, of which all are there, the cells that he should have
    (`row`, a class, `~` and a class)."""

    source: str
    line: int
    says: str
    who: str
    given: str
    appointment: Appointment
    resource: str
    row: Mapping[str, Any]
    expected: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Suite:
    """The cases of a text, and how many sentences they stand for."""

    cases: tuple[Case, ...]
    sentences: int

    def __add__(self, other: Suite) -> Suite:
        """The tests of both, as of those that ship and those that are kept with a version."""
        return Suite(self.cases + other.cases, self.sentences + other.sentences)


class SuiteRefused(Exception):
    """The text is no suite of tests for this policy; `problems` lists every mistake with its line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(f"第 {problem.line} 行：{problem.message}" for problem in problems))
        self.problems = tuple(problems)


def load(text: str, policy: Policy, source: str = "") -> Suite:
    """The tests of a text, in the names or the labels of the policy's catalog and roles. `source`: what people call the text.
    Raises SuiteRefused."""
    return _Loader(policy, source).suite(text)


class _Loader:
    def __init__(self, policy: Policy, source: str) -> None:
        self.policy, self.catalog, self.source = policy, policy.catalog, source
        self.problems: list[Problem] = []
        self.attributes = {
            name: one for each in self.catalog.resources.values() for name, one in each.attributes.items()
        }

    def refuse(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, message, node.start_mark.column + 1))

    def suite(self, text: str) -> Suite:
        root = _compose(text)
        top = self._map(root, {"people", "facts", "groups", "tests"})
        people = {name: self._person(node) for name, (_, node) in self._map(top.get("people")).items()}
        facts = {name: self._facts(node) for name, (_, node) in self._map(top.get("facts")).items()}
        groups = {name: self._resources(node, {}) for name, (_, node) in self._map(top.get("groups")).items()}
        cases: list[Case] = []
        tests = self._list(top.get("tests"))
        for node in tests:
            cases += self._test(node, people, facts, groups)
        if not self.problems and not cases:
            self.refuse(root, "没有任何测试")
        if self.problems:
            raise SuiteRefused(sorted(self.problems, key=lambda problem: problem.line))
        return Suite(tuple(cases), len(tests))

    # -- what stands in a text

    def _map(self, entry: Any, known: set[str] | None = None) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        node = entry[1] if isinstance(entry, tuple) else entry
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.refuse(node, "此处应为 名称: 值")
            return {}
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = self._text(key)
            if known is not None and name not in known:
                self.refuse(key, f"未知的键 {name[:40]!r}，只允许 {'、'.join(sorted(known))}")
            elif name in found:
                self.refuse(key, f"{name} 重复")
            else:
                found[name] = (key, value)
        return found

    def _list(self, entry: Any) -> list[yaml.Node]:
        node = entry[1] if isinstance(entry, tuple) else entry
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.refuse(node, "此处应为列表")
            return []
        return list(node.value)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.refuse(node, "此处应为文字")
            return ""
        return str(node.value)

    def _words(self, entry: Any) -> list[tuple[yaml.Node, str]]:
        """The words of a text, which are divided by blanks."""
        node = entry[1] if isinstance(entry, tuple) else entry
        return [] if node is None else [(node, word) for word in self._text(node).split()]

    # -- what they mean

    def _person(self, node: yaml.Node) -> Appointment:
        values = self._map(node, {"role", *self.catalog.claims})
        role = self._text(values["role"][1]) if "role" in values else ""
        if role not in self.policy.roles:
            self.refuse(node, f"没有角色 {role[:40]!r}")
        claims: dict[str, Any] = dict.fromkeys(self.catalog.claims)
        for name, (_, value) in values.items():
            if name in claims:
                claims[name] = self._value(value, self.catalog.claims[name].kind)
        return Appointment(role, claims)

    def _value(self, node: yaml.Node, kind: str) -> Any:
        if kind == "set":
            return frozenset(self._text(one) for one in self._list(node))
        text = self._text(node)
        if kind == "boolean":
            if text not in _TRUTHS:
                self.refuse(node, "真假值只能写 true 或 false")
            return _TRUTHS.get(text)
        return text

    def _facts(self, node: yaml.Node) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (key, value) in self._map(node).items():
            if name not in self.attributes:
                self.refuse(key, f"没有属性 {name[:40]!r}")
            else:
                found[name] = self._value(value, self.attributes[name].kind)
        return found

    def _resources(self, entry: Any, groups: Mapping[str, list[Resource]]) -> list[Resource]:
        found: list[Resource] = []
        for node, word in self._words(entry):
            if word in groups:
                found += groups[word]
                continue
            known = [one for one in self.catalog.resources.values() if word in (one.name, one.label)]
            if len(known) != 1:
                self.refuse(node, f"没有资源 {word[:40]!r}")
            found += known[:1]
        return found

    def _test(
        self,
        node: yaml.Node,
        people: Mapping[str, Appointment],
        facts: Mapping[str, dict[str, Any]],
        groups: Mapping[str, list[Resource]],
    ) -> list[Case]:
        parts = self._map(node, {"says", "who", "given", "want", "nothing"})
        says = self._text(parts["says"][1]).strip() if "says" in parts else ""
        if not says:
            self.refuse(node, "每项测试须以 says 说明一句话")
        wanted: dict[str, tuple[yaml.Node, dict[str, frozenset[str]]]] = {}
        for name, (key, value) in self._map(parts.get("want")).items():
            for resource in self._resources(yaml.ScalarNode("", name, key.start_mark), groups):
                if resource.name in wanted:
                    self.refuse(key, f"{resource.label} 重复")
                wanted[resource.name] = (key, self._expected(value, resource))
        for resource in self._resources(parts.get("nothing"), groups):
            wanted.setdefault(resource.name, (parts["nothing"][0], dict.fromkeys(resource.actions, frozenset())))
        row: dict[str, Any] = {}
        given = self._words(parts.get("given"))
        for place, fact in given:
            if fact not in facts:
                self.refuse(place, f"没有情形 {fact[:40]!r}")
            row |= facts.get(fact, {})
        who = self._words(parts.get("who"))
        if not who or not wanted:
            self.refuse(node, "每项测试须写明 who，以及 want 或 nothing")
        for place, name in who:
            if name not in people:
                self.refuse(place, f"没有人员 {name[:40]!r}")
        return [
            Case(
                self.source, key.start_mark.line + 1, says, name, " ".join(fact for _, fact in given), people[name], resource_name,
                self._row(row, self.catalog.resources[resource_name]), expected,
            )
            for _, name in who
            if name in people
            for resource_name, (key, expected) in wanted.items()
        ]  # fmt: skip

    def _row(self, facts: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
        """The row's attributes; those without a fact are missing. Facts that this kind of row does not have say nothing of it."""
        return {
            name: facts.get(name, frozenset() if one.kind == "set" else None)
            for name, one in resource.attributes.items()
        }

    def _expected(self, node: yaml.Node, resource: Resource) -> dict[str, frozenset[str]]:
        parts = self._map(node, {"clear", "masked", "can"})
        expected: dict[str, frozenset[str]] = dict.fromkeys(resource.actions, frozenset())
        clear = self._classes(self._words(parts.get("clear")), resource)
        masked = self._classes(self._words(parts.get("masked")), resource)
        for field_class, form, where in [
            *((one, "clear", "clear") for one in clear),
            *((one, "masked", "masked") for one in masked),
        ]:
            if form not in resource.classes[field_class]:
                self.refuse(parts[where][1], f"{resource.label}的{FIELD_CLASSES[field_class]}没有这种形式")
        if clear or masked:
            shown = {"row", *clear, *(f"~{name}" for name in clear + masked)}
            expected["read"] = frozenset(shown & {cell for cell, _, _ in cells_of(resource, "read")})
        for place, word in self._words(parts.get("can")):
            action, _, classes = word.partition("=")
            known = [one for one in resource.actions if action in (one, action_words(resource.name, one))]
            if len(known) != 1 or known == ["read"]:
                self.refuse(place, f"{resource.label}没有动作 {action[:40]!r}")
            else:
                named = [(place, one) for one in classes.split("|") if one]
                expected[known[0]] = frozenset({"row", *self._classes(named, resource)})
        return expected

    def _classes(self, words: Iterable[tuple[yaml.Node, str]], resource: Resource) -> list[str]:
        found: list[str] = []
        for node, word in words:
            known = [one for one in resource.classes if word in (one, FIELD_CLASSES[one])]
            if not known:
                self.refuse(node, f"{resource.label}没有字段类别 {word[:40]!r}")
            elif known[0] in found:
                self.refuse(node, f"{word} 重复")
            else:
                found += known
        return found


def _compose(text: str) -> yaml.Node:
    """The nodes of a text, without a Python value made of any. Raises SuiteRefused."""
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise SuiteRefused([Problem(0, "测试过大（至多 1 MB）")])
    for number, line in enumerate(text.split("\n"), start=1):
        place = unseen(line.removesuffix("\r"))
        if place is not None:
            raise SuiteRefused([Problem(number, "含有控制字符或不可见字符", place + 1)])
    try:
        root = _Plain(text).get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = str(error.problem) if isinstance(error, _NotPlain) else "不是合法的 YAML"
        raise SuiteRefused([Problem(mark.line + 1 if mark else 0, message)]) from None
    except RecursionError:
        raise SuiteRefused([Problem(0, "层次过深")]) from None
    if root is None:
        raise SuiteRefused([Problem(0, "没有任何测试")])
    return root


class _NotPlain(yaml.MarkedYAMLError):
    pass


class _Plain(yaml.SafeLoader):
    """YAML's grammar without references and tags."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs say nothing of it
        # SECURITY: a few lines of references to references would unfold to any size.
        if isinstance(event, yaml.AliasEvent) or event.anchor or event.tag:
            raise _NotPlain(problem="不能使用引用（& 与 *）和标签（!）", problem_mark=event.start_mark)
        return super().compose_node(parent, index)
