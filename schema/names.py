"""Names of the schema from names of the code, and back: `caseNumber` and `case_number`."""

from __future__ import annotations

import re


def camel(name: str) -> str:
    """`id_number` is the schema's `idNumber`."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def snake(name: str) -> str:
    """`FollowUp` is the table `follow_up`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
