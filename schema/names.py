"""Case conversion: names of the schema from names of the code, and back. Names of the code are in snake case."""

from __future__ import annotations

import re


def camel(name: str) -> str:
    """`id_number` is the field `idNumber`."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def pascal(name: str) -> str:
    """`follow_up` is the type `FollowUp`."""
    return "".join(part.title() for part in name.split("_"))


def snake(name: str) -> str:
    """The type `FollowUp` is the table `follow_up`, the field `idNumber` the column `id_number`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
