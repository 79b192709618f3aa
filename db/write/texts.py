"""Texts of an input that many people read: refused where they tell personal data, wherever in the input they stand.

Which texts these are is declared with the fields of the input (`db.write.command.input_field`): the form of a text is `shared` unless it
says otherwise.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Select, false, func, select
from sqlalchemy.types import Text

from db import tables as t
from db.canonical.personal_data import find_personal_data
from db.query.visibility import Visibility
from db.resources.aliases import alias
from db.resources.catalog import RESOURCES
from db.resources.resource import Row, Sql
from db.write.row_locks import ClearFact
from db.write.transaction import UnitOfWork

# The fact under which a record has the names of the parties.
NAMES = "names_of_parties"
# Texts that tell no numbers of people; those of the first form also not the names of the parties.
_WITHOUT_NAMES = frozenset({"shared"})
_WITHOUT_NUMBERS = frozenset({"shared", "document", "name", "address"})


def note_personal_data(work: UnitOfWork, input: Any, names: Collection[str] = ()) -> None:
    """Note a user error for every text that tells personal data; `names`: those of the parties, which shared texts must not tell.

    SECURITY: the message says what kinds were found, and repeats nothing of them.
    """
    for path, form, text in _texts(input, _WITHOUT_NUMBERS):
        kinds = find_personal_data(text, names if form in _WITHOUT_NAMES else ())
        if kinds:
            message = f"文中有{'、'.join(kinds)}：能看到这段文字的人，多于能看到当事人信息的人。请删去后再提交。"
            work.error(path, "PERSONAL_DATA", message)


def note_names(work: UnitOfWork, input: Any, names: Collection[str]) -> None:
    """The same for the names alone, once they are known."""
    for path, _, text in _texts(input, _WITHOUT_NAMES):
        if names and (kinds := [one for one in find_personal_data(text, names) if one == "当事人姓名"]):
            work.error(path, "PERSONAL_DATA", f"文中有{kinds[0]}：请改写为申请人、被申请人等，再提交。")


@cache
def names_fact(kind: str, input_type: type) -> tuple[ClearFact, ...]:
    """The names of the people who are parties, as a fact of a row, where the input may have a text that must not tell them.

    SECURITY: only those that the caller reads in clear: a refusal confirms no guess.
    """
    of_dispute = kind == "Dispute" or RESOURCES[kind].part
    return (_NAMES,) if of_dispute and _takes_shared_texts(input_type) else ()


def _takes_shared_texts(input_type: type) -> bool:
    hints = typing.get_type_hints(input_type)
    for field in dataclasses.fields(input_type):
        kinds = (hints[field.name], *typing.get_args(hints[field.name]))
        if str in kinds and field.metadata["codes"] is None and field.metadata["form"] in _WITHOUT_NAMES:
            return True
        if any(isinstance(one, type) and dataclasses.is_dataclass(one) and _takes_shared_texts(one) for one in kinds):
            return True
    return False


def _names(visibility: Visibility, party: Row) -> Select[Any]:
    return select(party["name"]).where(
        party["is_natural_person"],
        party["is_alias"].is_(false()),
        visibility.visible(party),
        visibility.clear(party, "name"),
    )


def _names_beside(visibility: Visibility, row: Row) -> Sql:
    assert row.dispute is not None
    party, at = visibility.row(RESOURCES["Party"], alias(t.party), row.dispute)
    of_dispute = party["dispute_id"] == row.dispute.c.id
    names = _names(visibility, party).select_from(at).where(of_dispute).correlate(row.dispute)
    return func.array(names.scalar_subquery(), type_=ARRAY(Text))


_NAMES = ClearFact(NAMES, _names_beside)


def _texts(input: Any, forms: frozenset[str], path: str = "") -> Iterator[tuple[str, str, str]]:
    """The texts of these forms in an input: the path in camelCase, the form and the text."""
    for field in dataclasses.fields(input):
        value = getattr(input, field.name)
        values = enumerate(value) if isinstance(value, tuple) else [(None, value)]
        for index, one in values:
            here = path + _camel(field.name) + ("" if index is None else f".{index}")
            if dataclasses.is_dataclass(one):
                yield from _texts(one, forms, f"{here}.")
            elif isinstance(one, str) and field.metadata["codes"] is None and field.metadata["form"] in forms:
                yield here, field.metadata["form"], one


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
