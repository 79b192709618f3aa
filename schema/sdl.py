"""Builds the schema from the nouns, and prints it as SDL: the contract that `schema/schema.graphql` holds.

`python -m api schema print > schema/schema.graphql` prints it anew.
"""

import importlib
from pathlib import Path
from pkgutil import iter_modules

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from db import tables
from schema.node import NODE_TYPES
from schema.query import Query
from schema.scalars import SCALARS

# The nouns: every module here that is named as its tables. Some are reached only lazily, and a type must be loaded to be listed.
NOUNS = sorted(
    {one.name for one in iter_modules([str(Path(__file__).parent)])}
    & {one.name for one in iter_modules(tables.__path__)}
)


def build() -> strawberry.Schema:
    """The schema, with every node type as an implementation of `Node`."""
    for noun in NOUNS:
        importlib.import_module(f"schema.{noun}")
    # After the nouns: its payloads show them.
    from schema.mutation import build_mutation

    return strawberry.Schema(
        Query,
        build_mutation(),
        types=[NODE_TYPES[name] for name in sorted(NODE_TYPES)],
        scalar_overrides=SCALARS,
        # SECURITY: a misspelt name is refused without naming its neighbours.
        config=StrawberryConfig(disable_field_suggestions=True),
    )


def graphql_schema() -> GraphQLSchema:
    """The schema as graphql-core's object: what documents are validated, planned and completed against."""
    return build()._schema  # noqa: SLF001  strawberry gives it no public name


def print_sdl() -> str:
    """The contract as text, ending in a newline."""
    return build().as_str().rstrip("\n") + "\n"
