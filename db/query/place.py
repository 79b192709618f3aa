"""A row of a statement by the names of its FROM elements, and the fragments that are said of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import FromClause

from db import tables as t
from db.query.fragment import Fragment, compile_fragment, fragments_of, slotted
from db.query.statement_text import StatementText
from db.query.visibility import Visibility, scope_of
from db.resources.aliases import shared_aliases
from db.resources.resource import ALWAYS, Relation, Resource, Row, Sql
from policies.grant import Access


@dataclass(frozen=True)
class Place:
    """A row in the text of a statement: what `Row` is in an expression.

    `at`, `dispute`: the names of its FROM element and of its dispute's. `joined`: the dispute was joined for this row alone. `seen`: the
    dispute was reached through a visible row.
    """

    resource: Resource
    at: str
    dispute: str | None = None
    joined: bool = False
    seen: bool = False

    @cached_property
    def context(self) -> Hashable:
        """All that a fragment about the row depends on, but the access."""
        return (self.resource.name, self.dispute is not None, self.joined, self.seen)

    @cached_property
    def slots(self) -> dict[str, str]:
        """The names for the slots of the row in a fragment (`Writer.row`)."""
        return {"row": self.at, "dispute": self.dispute or ""}


class Writer:
    """Writes what fragments say of rows into one statement, for one access."""

    def __init__(self, access: Access, text: StatementText) -> None:
        self.visibility, self.text = Visibility(access), text
        self._shape, self._fragments = access.shape, fragments_of(access.policy)

    def place(
        self, resource: Resource, source: str, dispute: str | None = None, *, seen: bool = False
    ) -> tuple[Place, str]:
        """The row of a table or sub-select and its FROM element, as `Visibility.row` makes them of an alias."""
        at = self.text.name(resource.table.name)
        from_ = f"{source} AS {at}"
        if resource.name == "Dispute":
            return Place(resource, at, at), from_
        if not resource.part or dispute is not None:
            return Place(resource, at, dispute, seen=seen), from_
        parent = self.text.name("dispute")
        joined = f"{from_} LEFT OUTER JOIN dispute AS {parent} ON {parent}.id = {at}.dispute_id"
        return Place(resource, at, parent, joined=True), joined

    def row(self, place: Place, prefix: str = "", dispute: FromClause | None = None) -> Row:
        """The row in a fragment, with slots for names. `dispute`: that of another row of the fragment, if they have it in common."""
        resource = place.resource
        at = slotted(resource.table, f"{prefix}row")
        if resource.name == "Dispute":
            return Row(resource, at, at)
        if place.dispute is None:
            return Row(resource, at)
        # SECURITY: only that of a visible dispute holds, and that is all that `seen` says.
        seen = self.visibility.access.grant("Dispute").rows if place.seen else ALWAYS
        if dispute is None:
            dispute = slotted(t.dispute, f"{prefix}dispute")
        return Row(resource, at, dispute, seen, place.joined)

    def fragment(self, key: Hashable, make: Callable[[], Fragment]) -> Fragment:
        """A fragment under this access. `key`: all else that it depends on."""
        return self._fragments.get((self._shape, key), make)

    def of_row(
        self, place: Place, key: Hashable, make: Callable[[Row], Sql], binds: Mapping[str, str] | None = None
    ) -> str:
        """An expression of a row. `key`: what it depends on beside the row's context; `binds`: those that are called otherwise here."""

        def compiled() -> Fragment:
            with shared_aliases():
                row = self.row(place)
                return compile_fragment({"": make(row)}, *scope_of(row))

        fragment = self.fragment((place.context, key), compiled)
        return self.text.take(fragment, place.slots, binds)[""]

    @staticmethod
    def shared_dispute(place: Place, relation: Relation) -> tuple[str | None, bool]:
        """The dispute that the rows of a relation have in common with this one, and whether it was reached through a visible row."""
        if not relation.same_dispute:
            return None, False
        return place.dispute, place.seen or place.resource.name == "Dispute"
