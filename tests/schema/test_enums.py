"""Enums of codes: a column has one enum, its own, wherever it is shown and wherever a command takes it."""

import dataclasses
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, get_named_type

from db.commands import COMMANDS
from db.tables import metadata
from db.tables.column import Codes
from schema.mutation import field_name
from schema.names import camel, snake
from schema.node import NODE_TYPES, code_enum, column_enum
from schema.sdl import graphql_schema

# Every list of codes that some column takes, with the columns.
LISTS: dict[int, list[str]] = {}
for table in metadata.tables.values():
    for column in table.c:
        if "values" in column.info:
            LISTS.setdefault(id(column.info["values"]), []).append(f"{table.name}.{column.name}")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema()


def coded_fields(schema: GraphQLSchema) -> Iterator[tuple[str, Codes, str]]:
    """Every field of a node that shows a coded column: where, the list of the column, the name of the field's type."""
    for resource in NODE_TYPES:
        node = schema.type_map[resource]
        assert isinstance(node, GraphQLObjectType)
        for name, shown in node.fields.items():
            stored = metadata.tables[snake(resource)].c.get(snake(name))
            if stored is not None and "values" in stored.info:
                yield f"{resource}.{name}", stored.info["values"], get_named_type(shown.type).name


def coded_inputs(schema: GraphQLSchema) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Every field of a command's input that takes codes: where, the list, the name of the field's type."""
    mutation = schema.mutation_type
    assert mutation is not None
    for command in COMMANDS.values():
        taken = get_named_type(mutation.fields[field_name(command)].args["input"].type)
        yield from _coded_inputs(command.input_type, taken)


def _coded_inputs(kind: type, taken: Any) -> Iterator[tuple[str, tuple[str, ...], str]]:
    assert isinstance(taken, GraphQLInputObjectType)
    hints = typing.get_type_hints(kind)
    for one in dataclasses.fields(kind):
        target = get_named_type(taken.fields[camel(one.name)].type)
        if one.metadata["codes"] is not None:
            yield f"{taken.name}.{one.name}", one.metadata["codes"], target.name
        for inner in (hints[one.name], *typing.get_args(hints[one.name])):
            if isinstance(inner, type) and dataclasses.is_dataclass(inner):
                yield from _coded_inputs(inner, target)


def test_every_coded_column_is_shown_by_its_own_enum(schema: GraphQLSchema) -> None:
    fields = list(coded_fields(schema))
    assert len(fields) > 30
    for where, codes, shown_as in fields:
        enum = column_enum(codes)
        assert enum is not None, where
        assert enum.__name__ == shown_as, where


def test_every_input_takes_the_enum_that_shows_the_column(schema: GraphQLSchema) -> None:
    shown = {id(codes): name for _, codes, name in coded_fields(schema)}
    inputs = list(coded_inputs(schema))
    assert len(inputs) > 25
    for where, codes, taken_as in inputs:
        if id(codes) in LISTS:
            assert taken_as == shown[id(codes)], f"{where} is stored in {LISTS[id(codes)]}"
        else:
            assert taken_as not in shown.values(), where


def test_lists_of_the_same_codes_are_different_lists(schema: GraphQLSchema) -> None:
    """The risk of a dispute and the severity of a factor have the same codes, and nothing else in common."""
    risk, severity = (
        metadata.tables[table].c[name].info["values"]
        for table, name in (("dispute", "risk_level"), ("factor", "severity"))
    )
    assert tuple(risk) == tuple(severity)
    taken = {where: name for where, _, name in coded_inputs(schema)}
    assert (taken["FactorInput.severity"], taken["DisputeAssessInput.level"]) == ("Severity", "RiskLevel")


def test_a_list_has_one_enum() -> None:
    class Another(Enum):
        LOW = "轻"
        MEDIUM = "中"
        HIGH = "重"

    with pytest.raises(ValueError, match="have an enum already"):
        code_enum("又一个。", metadata.tables["factor"].c.severity.info["values"])(Another)
