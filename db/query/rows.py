"""Rows to JSON objects: what is selected of a row and of its relations. The lists stand in `db.query.pages`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import and_, bindparam, cast, literal_column
from sqlalchemy.sql.operators import and_ as in_and
from sqlalchemy.types import Text

from db.query import plan as p
from db.query.clocks import clocks
from db.query.fragment import Fragment, compile_fragment
from db.query.pages import PageWriter
from db.query.place import Place, Writer
from db.query.statement_text import Member, StatementText, columns, json_list, json_object, json_row, quoted, where
from db.query.timeline import timeline
from db.query.visibility import scope_of
from db.resources.aliases import shared_aliases
from db.resources.catalog import RESOURCES
from db.resources.resource import Relation, Row, Sql
from policies.grant import Access


class RowWriter(Writer):
    """Writes the SQL of rows, relations and lists for one access."""

    def __init__(self, access: Access, text: StatementText) -> None:
        super().__init__(access, text)
        self._pages = PageWriter(self, self.members)

    def members(self, place: Place, items: Sequence[p.Item]) -> list[Member]:
        """What is selected of a row, under its response keys."""
        return [(item.key, self._item(place, item)) for item in items]

    def page(self, page: p.Page, parent: Place | None = None) -> str:
        """A connection as a JSON object: at the root, or below a row."""
        return self._pages.page(page, parent)

    def lookup(self, node: p.Node, on: Callable[[Place], str]) -> str:
        """The one row of which `on` holds as a JSON object; null if the caller does not see it."""
        resource = RESOURCES[node.resource]
        place, source = self.place(resource, resource.table.name)
        visible = self.of_row(place, "visible", lambda row: self.visibility.visible(row).self_group(against=in_and))
        members = columns(self.members(place, node.items))
        return json_object(f"SELECT {members} FROM {source}{where(on(place), visible)}")  # noqa: S608

    def equals(self, place: Place, column: str, bind: str) -> str:
        """The row's column holds the value of a bind."""

        def equal(row: Row) -> Sql:
            return row[column] == bindparam("value", type_=row.resource.table.c[column].type)

        return self.of_row(place, ("equals", column), equal, {"value": bind})

    def person(self, node: p.Node, key: str) -> str:
        """The person of an id."""
        return self.lookup(node, lambda place: f"{place.at}.id = {key}")

    def _item(self, place: Place, item: p.Item) -> str:
        """One member of a row, as JSON or as a value that JSON has."""
        match item:
            case p.Typename(name=name):
                return f"'{name}'"
            case p.Identifier():
                return self.of_row(place, "id", _identifier)
            case p.Value(field=name):
                return self.of_row(place, ("shown", name), lambda row: self.visibility.shown(row, name))
            case p.AccessInfo():
                return json_row([(key, self._access(place, item, name)) for key, name in item.items])
            case p.Clocks():
                return clocks(self, place, item)
            case p.Timeline():
                return timeline(self, place, item, self.person)
            case p.One(relation=name, node=node):
                return json_object(self._related(place, place.resource.relations[name], node))
            case p.Many(relation=name, node=node):
                return json_list(self._related(place, place.resource.relations[name], node))
            case p.Page():
                return self.page(item, place)

    def _access(self, place: Place, item: p.AccessInfo, name: str) -> str:
        """A member of `access`."""
        match name:
            case "typename":
                return "'Access'"
            case "can":
                return self.of_row(place, "can", self.visibility.can)
        masked = name == "masked"
        key = (name, item.fields, item.relations)
        return self.of_row(
            place, key, lambda row: self.visibility.withheld(row, item.fields, item.relations, masked=masked)
        )

    def _related(self, place: Place, relation: Relation, node: p.Node) -> str:
        """The visible rows of a relation with what is selected of them."""
        resource = RESOURCES[relation.target]
        dispute, seen = self.shared_dispute(place, relation)
        target, source = self.place(resource, resource.table.name, dispute, seen=seen)

        def compiled() -> Fragment:
            with shared_aliases():
                row = self.row(place)
                other = self.row(target, "target_", row.dispute if relation.same_dispute else None)
                made = self.visibility.made_through(relation, row, other)
                clauses = and_(relation.on(row, other.at), self.visibility.visible(other), *made)
                return compile_fragment({"": clauses}, *scope_of(row), *scope_of(other))

        fragment = self.fragment((place.context, "related", relation.name), compiled)
        slots = {**place.slots, "target_row": target.at, "target_dispute": target.dispute or ""}
        related = where(self.text.take(fragment, slots)[""])
        ordered = ", ".join(f"{target.at}.{quoted(name)}" for name in relation.order)
        by = f" ORDER BY {ordered}" if ordered else ""
        return f"SELECT {columns(self.members(target, node.items))} FROM {source}{related}{by}"  # noqa: S608


def _identifier(row: Row) -> Sql:
    """The global id."""
    return literal_column(f"'{row.resource.name}:'").concat(cast(row["id"], Text))
