"""Policy tests as YAML: people, facts of a row, and what each person should see and do. A test expects all else to be withheld.

The text is YAML without its traps: only plain scalars, lists and maps, no references, no tags. Nothing here decides access.
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
from policies.text import Problem, find_invisible
from policies.words import action_words

SUITE_PATH = Path(__file__).parents[1] / "tests.yaml"
# Of the UTF-8 text.
MAX_BYTES = 1024 * 1024
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Case:
    """One test case: one person, one row of one resource, on a line of a text of tests.

    `source`: what people call the text; `title`: the sentence of its test; `person` and `facts`: the names in the text. `row`: attribute ->
    value, None where it has none. `expected`: for every action of the resource the cells that the person should have (`row`, a class,
    `~` and a class).
    """

    source: str
    line: int
    title: str
    person: str
    facts: str
    appointment: Appointment
    resource: str
    row: Mapping[str, Any]
    expected: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Suite:
    """The cases of one or several texts, and the number of tests (entries of `tests`) that they come from."""

    cases: tuple[Case, ...]
    tests: int

    def __add__(self, other: Suite) -> Suite:
        """The tests of both, such as those that ship with the policy and those that are stored with a version."""
        return Suite(self.cases + other.cases, self.tests + other.tests)


class SuiteRefused(Exception):
    """The text is no suite of tests for this policy; `problems` lists every mistake with its line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(f"第 {problem.line} 行：{problem.message}" for problem in problems))
        self.problems = tuple(problems)


def load(text: str, policy: Policy, source: str = "") -> Suite:
    """The tests of a text, which names resources, actions and field classes by their names or their labels.

    `source`: what people call the text. Raises SuiteRefused.
    """
    return _Loader(policy, source).suite(text)


class _Loader:
    """Reads the nodes of one text and collects its problems. An entry of a map is its key node and its value node."""

    def __init__(self, policy: Policy, source: str) -> None:
        self.policy, self.catalog, self.source = policy, policy.catalog, source
        self.problems: list[Problem] = []
        self.attributes = {
            name: attribute
            for resource in self.catalog.resources.values()
            for name, attribute in resource.attributes.items()
        }
        self.people: dict[str, Appointment] = {}
        self.facts: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, list[Resource]] = {}

    def refuse(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, message, node.start_mark.column + 1))

    def suite(self, text: str) -> Suite:
        root = _compose(text)
        sections = self._map(root, {"people", "facts", "groups", "tests"})
        self.people = {name: self._person(node) for name, (_, node) in self._map(sections.get("people")).items()}
        self.facts = {name: self._attributes(node) for name, (_, node) in self._map(sections.get("facts")).items()}
        self.groups = {name: self._resources(node) for name, (_, node) in self._map(sections.get("groups")).items()}
        tests = self._list(sections.get("tests"))
        cases = [case for node in tests for case in self._test(node)]
        if not self.problems and not cases:
            self.refuse(root, "没有任何测试")
        if self.problems:
            raise SuiteRefused(sorted(self.problems, key=lambda problem: problem.line))
        return Suite(tuple(cases), len(tests))

    # -- nodes

    def _map(self, entry: Any, keys: set[str] | None = None) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The entries of a map by name; `keys`: the names allowed, None for any."""
        node = entry[1] if isinstance(entry, tuple) else entry
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.refuse(node, "此处应为 名称: 值")
            return {}
        entries: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = self._text(key)
            if keys is not None and name not in keys:
                self.refuse(key, f"未知的键 {name[:40]!r}，只允许 {'、'.join(sorted(keys))}")
            elif name in entries:
                self.refuse(key, f"{name} 重复")
            else:
                entries[name] = (key, value)
        return entries

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
        """The words of a text, which are divided by blanks, each with the node of the text."""
        node = entry[1] if isinstance(entry, tuple) else entry
        return [] if node is None else [(node, word) for word in self._text(node).split()]

    # -- people, facts, groups

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
            return frozenset(self._text(item) for item in self._list(node))
        text = self._text(node)
        if kind == "boolean":
            if text not in _BOOLEANS:
                self.refuse(node, "真假值只能写 true 或 false")
            return _BOOLEANS.get(text)
        return text

    def _attributes(self, node: yaml.Node) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, (key, value) in self._map(node).items():
            if name not in self.attributes:
                self.refuse(key, f"没有属性 {name[:40]!r}")
            else:
                values[name] = self._value(value, self.attributes[name].kind)
        return values

    def _resources(self, entry: Any) -> list[Resource]:
        """The resources that the words of a text name: by group, name or label."""
        resources: list[Resource] = []
        for node, word in self._words(entry):
            if word in self.groups:
                resources += self.groups[word]
                continue
            matches = [
                resource for resource in self.catalog.resources.values() if word in (resource.name, resource.label)
            ]
            if len(matches) != 1:
                self.refuse(node, f"没有资源 {word[:40]!r}")
            resources += matches[:1]
        return resources

    # -- tests

    def _test(self, node: yaml.Node) -> list[Case]:
        """The cases of one test: each of its people with each of its resources."""
        entries = self._map(node, {"says", "who", "given", "want", "nothing"})
        title = self._text(entries["says"][1]).strip() if "says" in entries else ""
        if not title:
            self.refuse(node, "每项测试须以 says 说明一句话")
        expectations = self._expectations(entries)
        row: dict[str, Any] = {}
        facts = self._words(entries.get("given"))
        for place, fact in facts:
            if fact not in self.facts:
                self.refuse(place, f"没有情形 {fact[:40]!r}")
            row |= self.facts.get(fact, {})
        people = self._words(entries.get("who"))
        if not people or not expectations:
            self.refuse(node, "每项测试须写明 who，以及 want 或 nothing")
        for place, name in people:
            if name not in self.people:
                self.refuse(place, f"没有人员 {name[:40]!r}")
        return [
            Case(
                source=self.source,
                line=key.start_mark.line + 1,
                title=title,
                person=name,
                facts=" ".join(fact for _, fact in facts),
                appointment=self.people[name],
                resource=resource,
                row=_row(row, self.catalog.resources[resource]),
                expected=expected,
            )
            for _, name in people
            if name in self.people
            for resource, (key, expected) in expectations.items()
        ]

    def _expectations(
        self, entries: Mapping[str, tuple[yaml.Node, yaml.Node]]
    ) -> dict[str, tuple[yaml.Node, dict[str, frozenset[str]]]]:
        """By resource the node that expects something of it, and the cells by action; `want` takes precedence over `nothing`."""
        expectations: dict[str, tuple[yaml.Node, dict[str, frozenset[str]]]] = {}
        for name, (key, value) in self._map(entries.get("want")).items():
            for resource in self._resources(yaml.ScalarNode("", name, key.start_mark)):
                if resource.name in expectations:
                    self.refuse(key, f"{resource.label} 重复")
                expectations[resource.name] = (key, self._expected(value, resource))
        for resource in self._resources(entries.get("nothing")):
            nothing = dict.fromkeys(resource.actions, frozenset[str]())
            expectations.setdefault(resource.name, (entries["nothing"][0], nothing))
        return expectations

    def _expected(self, node: yaml.Node, resource: Resource) -> dict[str, frozenset[str]]:
        """By action the cells that `clear`, `masked` and `can` name."""
        entries = self._map(node, {"clear", "masked", "can"})
        expected: dict[str, frozenset[str]] = dict.fromkeys(resource.actions, frozenset())
        clear = self._classes(self._words(entries.get("clear")), resource)
        masked = self._classes(self._words(entries.get("masked")), resource)
        for form, classes in (("clear", clear), ("masked", masked)):
            for field_class in classes:
                if form not in resource.classes[field_class]:
                    self.refuse(entries[form][1], f"{resource.label}的{FIELD_CLASSES[field_class]}没有这种形式")
        if clear or masked:
            cells = {"row", *clear, *(f"~{name}" for name in clear + masked)}
            expected["read"] = frozenset(cells & {cell for cell, _, _ in cells_of(resource, "read")})
        for place, word in self._words(entries.get("can")):
            name, _, classes_text = word.partition("=")
            actions = [action for action in resource.actions if name in (action, action_words(resource.name, action))]
            if len(actions) != 1 or actions == ["read"]:
                self.refuse(place, f"{resource.label}没有动作 {name[:40]!r}")
            else:
                class_names = [(place, class_name) for class_name in classes_text.split("|") if class_name]
                expected[actions[0]] = frozenset({"row", *self._classes(class_names, resource)})
        return expected

    def _classes(self, words: Iterable[tuple[yaml.Node, str]], resource: Resource) -> list[str]:
        """The field classes of a resource that words name, by name or label."""
        classes: list[str] = []
        for node, word in words:
            matches = [name for name in resource.classes if word in (name, FIELD_CLASSES[name])]
            if not matches:
                self.refuse(node, f"{resource.label}没有字段类别 {word[:40]!r}")
            elif matches[0] in classes:
                self.refuse(node, f"{word} 重复")
            else:
                classes += matches
        return classes


def _row(facts: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
    """The row's attributes; those without a fact are missing. Facts on attributes that the resource does not have are left out."""
    return {
        name: facts.get(name, frozenset() if attribute.kind == "set" else None)
        for name, attribute in resource.attributes.items()
    }


def _compose(text: str) -> yaml.Node:
    """The node tree of a text; no Python value is constructed from it. Raises SuiteRefused."""
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise SuiteRefused([Problem(0, "测试过大（至多 1 MB）")])
    for number, line in enumerate(text.split("\n"), start=1):
        place = find_invisible(line.removesuffix("\r"))
        if place is not None:
            raise SuiteRefused([Problem(number, "含有控制字符或不可见字符", place + 1)])
    try:
        root = _RestrictedLoader(text).get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = str(error.problem) if isinstance(error, _ReferenceError) else "不是合法的 YAML"
        raise SuiteRefused([Problem(mark.line + 1 if mark else 0, message)]) from None
    except RecursionError:
        raise SuiteRefused([Problem(0, "层次过深")]) from None
    if root is None:
        raise SuiteRefused([Problem(0, "没有任何测试")])
    return root


class _ReferenceError(yaml.MarkedYAMLError):
    """An anchor, an alias or a tag."""


class _RestrictedLoader(yaml.SafeLoader):
    """YAML's grammar without references and tags."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs do not type it
        # SECURITY: a few lines of references to references would unfold to any size.
        if isinstance(event, yaml.AliasEvent) or event.anchor or event.tag:
            raise _ReferenceError(problem="不能使用引用（& 与 *）和标签（!）", problem_mark=event.start_mark)
        return super().compose_node(parent, index)
