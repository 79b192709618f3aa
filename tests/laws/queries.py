"""Makes random valid queries from the schema, always the same ones for the same seed.

Fields, lists with all their arguments, aliases (nasty ones too), fragments, @skip and @include, variables, several root fields.
"""

import random
from collections.abc import Collection
from typing import Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from schema.planning.question import QUESTIONS

# Aliases that mean something in SQL or in the statements that we build.
NASTY = (
    "j", "v0", "rn", "j0", "o0", "epoch", "data", "missing", "select", "from", "order", "user", "value", "kind", "asked", "node", "nodes",
    "row_to_json", "dispute_1", "Type", "TYPE", "null", "true_", "_", "anon_1", "key", "label", "group_key", "x" * 63,
)  # fmt: skip
TEXTS = ("崇文", "物业", "%", "'", "\\", '"; DROP TABLE dispute; --', "a", " ", "李龙", "13800000000", "水卡 充值")
DAYS = ("2023-01-01", "2023-12-27", "2024-02-20", "1900-01-01", "2200-12-31")


class Query:
    """One document with its variables."""

    def __init__(
        self,
        schema: GraphQLSchema,
        generator: random.Random,
        ids: dict[str, list[str]],
        questions: Collection[str] = (),
    ) -> None:
        """`questions`: which of those that Python answers may stand at the root."""
        self.schema, self.random, self.ids, self.questions = schema, generator, ids, questions
        self.declared: list[str] = []
        self.variables: dict[str, Any] = {}
        self.fragments: list[str] = []
        self.serial = 0
        self.introspects = generator.random() < 0.15
        roots = self.below("Query", 4, {})
        head = f"query Q({', '.join(self.declared)})" if self.declared else "query Q"
        self.text = f"{head} {roots}" + "".join(self.fragments)

    def chance(self, percent: int) -> bool:
        return self.random.random() * 100 < percent

    # -- values

    def value_text(self, kind: Any, value: Any) -> str:
        """The value as a literal or through a variable."""
        if self.chance(40):
            self.serial += 1
            name = f"p{self.serial}"
            default = f" = {self.literal(kind, value)}" if self.chance(20) else ""
            self.declared.append(f"${name}: {kind}{default}")
            if not default or self.chance(50):
                self.variables[name] = value
            return f"${name}"
        return self.literal(kind, value)

    def literal(self, kind: Any, value: Any) -> str:
        named = get_named_type(kind)
        if value is None:
            return "null"
        if isinstance(value, list):
            return "[" + ", ".join(self.literal(named, one) for one in value) + "]"
        if isinstance(value, dict):
            return (
                "{"
                + ", ".join(f"{name}: {self.literal(named.fields[name].type, one)}" for name, one in value.items())
                + "}"
            )
        return str(value) if isinstance(named, GraphQLEnumType) else orjson.dumps(value).decode()

    def identifier(self) -> str:
        resource = self.random.choice(sorted(self.ids))
        nowhere = f"{resource}:00000000-0000-4000-8000-000000000000"
        return self.random.choice(self.ids[resource]) if self.ids[resource] and self.chance(60) else nowhere

    def value(self, kind: Any, name: str) -> Any:
        """A plausible value of an input type."""
        bare, named = get_nullable_type(kind), get_named_type(kind)
        if is_list_type(bare):
            return [self.value(bare.of_type, name) for _ in range(self.random.randint(0, 2))]
        if isinstance(named, GraphQLInputObjectType):
            required = [key for key, one in named.fields.items() if is_non_null_type(one.type)]
            chosen = self.random.sample(sorted(named.fields), self.random.randint(0, min(2, len(named.fields))))
            return {key: self.value(named.fields[key].type, key) for key in dict.fromkeys([*required, *chosen])}
        if isinstance(named, GraphQLEnumType):
            return self.random.choice(sorted(named.values))
        match named.name:
            case "Int":
                return (
                    self.random.choice((1, 2, 3, 5, 0, -1, 201, 2**31 - 1))
                    if self.chance(20)
                    else self.random.randint(1, 4)
                )
            case "Boolean":
                return self.chance(50)
            case "Date":
                return self.random.choice(DAYS)
            case "DateTime":
                return self.random.choice(("2023-12-27T01:10:00Z", "2024-02-20T09:30:00.5+08:00"))
            case "Money":
                return self.random.choice(("0", "1860.00", "999999999999.99"))
            case "ID":
                prefix = {
                    "compoundId": "Compound",
                    "teamId": "Team",
                    "mediatorId": "Mediator",
                    "disputeId": "Dispute",
                }.get(name)
                if prefix and self.chance(80):
                    return self.random.choice(self.ids[prefix])
                return self.identifier() if self.chance(90) else "junk"
        if name in ("action", "role"):
            return self.random.choice(("read", "accept", "police", "fly"))
        if name == "areaCode":
            return self.random.choice(("371525", "371525002", "371525002001", "371525002001001", "37"))
        return self.random.choice(TEXTS)

    def arguments(self, field: Any) -> str:
        parts = []
        paged = "first" in field.args
        for name, argument in field.args.items():
            if paged and name in ("first", "last", "after", "before"):
                continue
            if is_non_null_type(argument.type) or self.chance(12):
                value = self.value(argument.type, name)
                parts.append(f"{name}: {self.value_text(argument.type, value)}")
        if paged:
            size = self.random.choice(("first", "last"))
            number = self.random.randint(1, 4) if self.chance(96) else self.random.choice((0, -1, 201))
            parts.append(f"{size}: {self.value_text('Int', number)}")
            if self.chance(4):
                parts.append(f"{self.random.choice(('after', 'before'))}: {self.value_text('String', 'WyJ4Il0=')}")
        return f"({', '.join(parts)})" if parts else ""

    # -- selections

    def directives(self) -> str:
        if not self.chance(12):
            return ""
        name = self.random.choice(("skip", "include"))
        return f" @{name}(if: {self.value_text('Boolean!', self.chance(50))})"

    def below(self, kind: str, depth: int, scope: dict[str, Any]) -> str:
        """A selection set on a type. `scope`: the response keys taken there, so that fields never conflict."""
        parts: list[str] = []
        fields: Any = self.schema.type_map[kind]
        names = sorted(fields.fields)
        if kind == "Query":
            names = [name for name in names if name not in QUESTIONS or name in self.questions]
            names = [name for name in names if name not in ("node", "nodes") or self.chance(70)]
        leaves = [name for name in names if is_leaf_type(get_named_type(fields.fields[name].type))]
        trees = [name for name in names if name not in leaves]
        chosen = self.random.sample(leaves, min(len(leaves), self.random.randint(1, 5))) if leaves else []
        if depth > 0 and trees:
            chosen += self.random.sample(trees, min(len(trees), self.random.randint(1, 3)))
        self.random.shuffle(chosen)
        for name in chosen:
            parts.append(self.field(kind, name, fields.fields[name], depth, scope))
        if self.chance(30):
            parts.append("__typename")
        if kind == "Query" and self.introspects:
            parts.append(
                's: __type(name: "Party") { name fields { name type { kind name } } } __schema { queryType { name } }'
            )
        if not parts:
            parts.append("__typename")
        if depth > 0 and self.chance(25):
            parts.append(self.fragment(kind, depth, scope))
        return "{ " + " ".join(parts) + " }"

    def key(self, wanted: str, scope: dict[str, Any], plain: bool) -> tuple[str, str]:
        """A response key that is free, and how to write it. A plain field may stand twice under its own name."""
        if plain and not self.chance(20) and scope.get(wanted, wanted) == wanted:
            scope[wanted] = wanted
            return wanted, ""
        for alias in self.random.sample(NASTY, 4):
            if alias not in scope and alias not in self.reserved:
                scope[alias] = object()
                return alias, f"{alias}: "
        self.serial += 1
        alias = f"a{self.serial}"
        scope[alias] = object()
        return alias, f"{alias}: "

    reserved = frozenset({"id", "name", "title", "state"})

    def field(self, kind: str, name: str, field: Any, depth: int, scope: dict[str, Any]) -> str:
        target = get_named_type(field.type)
        leaf = is_leaf_type(target)
        # A field below which something may differ is aliased, so that two of them never have to be merged.
        if leaf:
            _, shown = self.key(name, scope, plain=True)
            return f"{shown}{name}{self.directives()}"
        if name in scope:
            _, shown = self.key(name, scope, plain=False)
        else:
            _, shown = self.key(name, scope, plain=self.chance(70))
            scope.setdefault(name, object())
        inner: dict[str, Any] = {}
        body = self.interface(depth - 1) if target.name == "Node" else self.below(target.name, depth - 1, inner)
        return f"{shown}{name}{self.arguments(field)}{self.directives()} {body}"

    def interface(self, depth: int) -> str:
        """A selection on `Node`, with inline fragments on types; their keys never meet."""
        parts = ["id", "__typename"] if self.chance(60) else ["id"]
        if self.chance(40):
            parts.append("access { hidden masked can }")
        for resource in self.random.sample(sorted(self.ids), self.random.randint(1, 4)):
            self.serial += 1
            fields: Any = self.schema.type_map[resource]
            leaves = [one for one in sorted(fields.fields) if is_leaf_type(get_named_type(fields.fields[one].type))]
            selection = " ".join(
                f"f{self.serial}_{one}: {one}" for one in self.random.sample(leaves, min(3, len(leaves)))
            )
            trees = [one for one in sorted(fields.fields) if one not in leaves and one != "access"]
            if depth > 0 and trees:
                name = self.random.choice(trees)
                scope: dict[str, Any] = {name: object()}
                target = get_named_type(fields.fields[name].type).name
                selection += f" t{self.serial}: {name}{self.arguments(fields.fields[name])} {self.below(target, depth - 1, scope)}"
            parts.append(f"... on {resource}{self.directives()} {{ {selection} }}")
        if self.chance(20):
            parts.append("... on Node { id }")
        return "{ " + " ".join(parts) + " }"

    def fragment(self, kind: str, depth: int, scope: dict[str, Any]) -> str:
        """The same object again, through a fragment; it shares the keys of what surrounds it."""
        body = self.below(kind, depth - 1, scope)
        if self.chance(50):
            return f"... {'on ' + kind if self.chance(70) else ''}{self.directives()} {body}"
        self.serial += 1
        name = f"F{self.serial}"
        self.fragments.append(f" fragment {name} on {kind} {body}")
        spread = f"...{name}{self.directives()}"
        return f"{spread} ...{name}" if self.chance(20) else spread
