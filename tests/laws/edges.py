"""The places of a schema where a value may stand, and values at the edge of each type: right, wrong, null and absent."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

UUID = "0190a6c2-0000-7000-8000-000000000000"
ABSENT: Any = object()
GOOD = {
    "Int": 1, "Float": 1.0, "Boolean": True, "String": "物业", "ID": f"Dispute:{UUID}",
    "Date": "2024-02-20", "DateTime": "2024-02-20T09:00:00+08:00", "Money": "12.50",
}  # fmt: skip
CONTROLS = ("\x00物业", "物\x07业", "物业\x7f", "物\x85业", "物\ud800业")
# Values that graphql-core itself may take for one of the type; it has the verdict.
EDGES: dict[str, tuple[Any, ...]] = {
    "Int": (0, -1, 2**31 - 1, 2**31, -(2**31) - 1, 1.0, 1.5, "1", True, [], {}),
    "Boolean": (False, 0, 1, "true", [True]),
    "String": ("", " ", "长" * 30_000, 5, True, ["a"], {}, *CONTROLS),
    "ID": ("", "junk", 5, 1.5, f"Banana:{UUID}", f"Session:{UUID}", f"Dispute:{UUID.upper()}", "Dispute:" + "0" * 36,
           f"Dispute:{UUID}\n", "长" * 30_000, *CONTROLS),
    "Date": ("", "20240220", "20240220xx", "2024-W08-2", "2024-02-30", "2024-2-3", "２０２４-02-20", "2024-02-20T00:00", "1899-12-31",
             "2201-01-01", 20240220, None),
    "DateTime": ("", "2024-02-20", "2024-02-20T09:00:00", "2024-02-20x09:00:00+08:00", "2024-02-20T09:00+08:00", "2024-02-20T24:00:00Z",
                 "2024-02-20T09:00:60Z", "20240220T090000Z", "2024-02-20T09:00:00,5Z", "2024-02-20T09:00:00+0800", "2024-02-20T09:00:00+08",
                 "2024-02-20T09:00:00+24:00", "1899-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", 1, "2024-02-20T09:00:00.123456789Z"),
    "Money": ("", "NaN", "Infinity", "1e3", "1.234", "0x1", "1_000", "１２", "-1.00", "-0", "9" * 13, 5, 1.5, " 1", "1\n"),
}  # fmt: skip


def literal(kind: Any, value: Any) -> str:
    """The value as it stands in a document."""
    named = get_named_type(kind)
    if isinstance(value, list):
        return "[" + ", ".join(literal(named, one) for one in value) + "]"
    if isinstance(value, dict) and isinstance(named, GraphQLInputObjectType):
        types = {name: named.fields[name].type if name in named.fields else named for name in value}
        return "{" + ", ".join(f"{name}: {literal(types[name], one)}" for name, one in value.items()) + "}"
    if isinstance(named, GraphQLEnumType) and isinstance(value, str) and value:
        return value
    return orjson.dumps(value).decode()


def good(kind: Any) -> Any:
    """A value that coerces to the type."""
    bare = get_nullable_type(kind)
    if is_list_type(bare):
        return [good(bare.of_type)]
    if isinstance(bare, GraphQLInputObjectType):
        return {name: good(one.type) for name, one in bare.fields.items() if _is_required(one)}
    return next(iter(bare.values)) if isinstance(bare, GraphQLEnumType) else GOOD[bare.name]


def edges(kind: Any) -> Iterator[Any]:
    """Values at the edge of a nullable type."""
    bare = get_nullable_type(kind)
    if is_list_type(bare):
        inner = bare.of_type
        yield from ([], [None], [good(inner), None], good(inner), [good(inner)] * (101 if is_leaf_type(inner) else 2))
        for one in list(edges(inner))[:6]:
            yield [good(inner), one]
    elif isinstance(bare, GraphQLInputObjectType):
        yield from ({}, {"unknown": 1}, [], "x", dict.fromkeys(bare.fields))
    elif isinstance(bare, GraphQLEnumType):
        yield from ("NO_SUCH", "", 5, True, [])
    else:
        yield from EDGES[bare.name]


def _is_required(one: Any) -> bool:
    return is_non_null_type(one.type) and one.default_value is not None and not _has_default(one)


def _has_default(one: Any) -> bool:
    return one.default_value is not None and type(one.default_value).__name__ != "UndefinedType"


@dataclass(frozen=True)
class Position:
    """A place in a document (`%s` in the text) where a value of a type may stand. `operation`: query or mutation; `below`: no root field's."""

    operation: str
    text: str
    kind: Any
    below: bool = False

    @property
    def group(self) -> tuple[str, str]:
        """Positions of one group are coerced alike."""
        named = get_named_type(self.kind)
        name = named.name if named.name in GOOD else type(named).__name__
        return self.operation, str(self.kind).replace(named.name, name)


def _selection(schema: GraphQLSchema, field: GraphQLField) -> str:
    named: Any = get_named_type(field.type)
    if is_leaf_type(named):
        return ""
    return "{ totalCount }" if "totalCount" in named.fields else "{ __typename }"


def _call(name: str, field: GraphQLField, chosen: str, value: str) -> str:
    """A field with a value for one argument, and for the others that are required."""
    given = {key: literal(one.type, good(one.type)) for key, one in field.args.items() if _is_required(one)}
    given[chosen] = value
    return f"{name}({', '.join(f'{key}: {text}' for key, text in given.items())})"


def _within(kind: Any, seen: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """The places in a value of an input type: itself, and those of its fields."""
    yield "%s", kind
    bare: Any = get_nullable_type(kind)
    if is_list_type(bare):
        for text, inner in _within(bare.of_type, seen):
            yield f"[{text}]", inner
    elif isinstance(bare, GraphQLInputObjectType) and bare.name not in seen:
        for name, field in bare.fields.items():
            others = good(bare)
            others.pop(name, None)
            rest = "".join(f", {key}: {literal(bare.fields[key].type, one)}" for key, one in others.items())
            for text, inner in _within(field.type, seen | {bare.name}):
                yield f"{{{name}: {text}{rest}}}", inner


def all_positions(schema: GraphQLSchema) -> Iterator[Position]:
    """Every position of every root field, and some of each kind that is found elsewhere."""
    for operation, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        assert root is not None
        for name, field in root.fields.items():
            for argument, definition in field.args.items():
                for text, kind in _within(definition.type, frozenset()):
                    yield Position(
                        operation, f"{{ {_call(name, field, argument, text)} {_selection(schema, field)} }}", kind
                    )
    boolean, string = schema.type_map["Boolean"], schema.type_map["String"]
    area: Any = schema.type_map["Area"]
    kinds = area.fields["disputes"].args
    state = get_nullable_type(kinds["filter"].type.fields["state"].type).of_type
    way = get_named_type(kinds["orderBy"].type).fields["direction"].type
    for text, kind in (
        ("{ areas(first: 2) { nodes { disputes(filter: %s) { totalCount } } } }", kinds["filter"].type),
        ("{ areas(first: 2) { nodes { disputes(orderBy: [{field: TITLE, direction: %s}]) { totalCount } } } }", way),
        ("{ areas(first: 2) { nodes { disputes(filter: {state: [CLOSED, %s]}) { totalCount } } } }", state),
        ("{ disputes { totalCount(exact: %s) } }", boolean),
        ("{ disputes { __typename totalCount @skip(if: %s) } }", GraphQLNonNull(boolean)),
        ("{ __typename ... @include(if: %s) { disputes { totalCount } } }", GraphQLNonNull(boolean)),
        ("{ __type(name: %s) { name } areas { totalCount } }", GraphQLNonNull(string)),
        ('{ __type(name: "Area") { fields(includeDeprecated: %s) { name } } areas { totalCount } }', boolean),
    ):
        yield Position("query", text, kind, below=True)


def positions(schema: GraphQLSchema, of_each: int) -> list[Position]:
    """Some positions of each group, and all that are found below the root."""
    counts: Counter[tuple[str, str]] = Counter()
    chosen = []
    for one in all_positions(schema):
        counts[one.group] += 1
        if counts[one.group] <= of_each or one.below:
            chosen.append(one)
    return chosen


@dataclass(frozen=True)
class Question:
    """A document with its variables."""

    text: str
    variables: dict[str, Any]


def questions(position: Position) -> Iterator[Question]:
    """The position filled in every way: through a variable of its type, through one that may be null and has a default, by a literal, and
    with a variable inside of a list."""
    kind, bare = position.kind, get_nullable_type(position.kind)
    right = good(kind)
    default = literal(kind, right)

    def asked(declared: str, value_text: str, value: Any) -> Question:
        head = f"{position.operation} ({declared})" if declared else position.operation
        return Question(f"{head} {position.text % value_text}", {} if value is ABSENT else {"v": value})

    for value in (right, None, ABSENT, *edges(kind)):
        yield asked(f"$v: {kind}", "$v", value)
    for value in (right, None, ABSENT):
        yield asked(f"$v: {bare} = {default}", "$v", value)
        yield asked(f"$v: {bare}", "$v", value)
    yield asked("", default, ABSENT)
    yield asked("", "null", ABSENT)
    for value in list(edges(kind))[:5]:
        yield asked("", literal(kind, value), ABSENT)
    if is_list_type(bare):
        inner = bare.of_type
        one = literal(inner, good(inner))
        for value in (good(inner), None, ABSENT):
            yield asked(f"$v: {get_nullable_type(inner)} = {one}", f"[{one}, $v]", value)
            yield asked(f"$v: {inner}", "[$v]", value)
