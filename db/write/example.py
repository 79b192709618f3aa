"""Examples of a command's input: the smallest that is valid, in the names of the input class, with placeholders for the caller's data.

Python names: a client writes them in camelCase, a UUID as the global id of the resource that the input field names, a nested input as
an object.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple


class Placeholder(NamedTuple):
    """A value that depends on the caller's data. `of`: a resource, whose id it is, or a word for a plain value; `which`: which one.

    `many`: a list of all of them.
    """

    of: str
    which: str
    many: bool = False


NOW = Placeholder("time", "now")


def row_of(resource: str) -> Placeholder:
    """The row that the command is about."""
    return Placeholder(resource, "the row")


def complete(input_type: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The example in the order of the input's fields. Raises ValueError for a field that the input has not, or a required one left out."""
    fields = {field.name: field for field in dataclasses.fields(input_type)}
    required = {name for name, field in fields.items() if field.default is dataclasses.MISSING}
    if unknown := values.keys() - fields.keys():
        raise ValueError(f"the example of {input_type.__name__} has unknown fields {sorted(unknown)}")
    if missing := required - values.keys():
        raise ValueError(f"the example of {input_type.__name__} lacks {sorted(missing)}")
    return {name: values[name] for name in fields if name in values}
