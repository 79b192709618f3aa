"""What a caller sees, in SQL: predicates become WHERE clauses, reading rights CASE expressions. The only place that decides it.

Needs no connection. Every path to a row applies `Visibility.visible`, every path to a value `Visibility.shown`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import FromClause, and_, bindparam, case, exists, false, func, literal_column, null, or_, select, true
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.types import Text

from db import tables as t
from db.query.statement import text_array
from db.resources.aliases import alias
from db.resources.catalog import CLAIMS, RESOURCES
from db.resources.guarded import rests_on
from db.resources.guards import CALLER_ID
from db.resources.interest import is_interested
from db.resources.resource import ALWAYS, Relation, Resource, Row, Source, Sql, json_value, literals
from db.resources.transitions import offered_actions
from policies.grant import Access, FieldAccess
from policies.predicate import (
    Always,
    And,
    ClaimRef,
    Eq,
    Has,
    In,
    Never,
    Not,
    Or,
    Predicate,
    all_of,
    implies,
    regardless_of,
)

# Names of the catalog, each with the one that a client knows.
Named = Sequence[tuple[str, str]]


class Visibility:
    """One access, in SQL. It holds no other state. `claims`: the prefix of the binds of its claims, where a statement applies the rights
    of two callers."""

    def __init__(self, access: Access, claims: str = "claim") -> None:
        self.access, self._claims = access, claims

    # -- rows: the one place where a row's visibility is decided

    def row(
        self,
        resource: Resource,
        at: FromClause,
        dispute: FromClause | None = None,
        seen: Predicate = ALWAYS,
        *,
        locked: bool = False,
    ) -> tuple[Row, FromClause]:
        """The row of an alias and its FROM element: a part is joined with its dispute unless that is in scope.

        `seen`: what holds of the dispute in scope. `locked`: the dispute is locked with its part, so the join is an inner one.
        """
        if resource.name == "Dispute":
            return Row(resource, at, at, seen), at
        if not resource.part or dispute is not None:
            return Row(resource, at, dispute, seen), at
        # SECURITY: every part but an event has a dispute (`tests/db/test_constraints.py`), so no condition meets one that is missing. As an
        # outer join PostgreSQL leaves it out where nothing but its id is asked for.
        parent = alias(t.dispute)
        return Row(resource, at, parent, joined=True), at.join(
            parent, parent.c.id == at.c.dispute_id, isouter=not locked
        )

    def visible(self, row: Row, action: str = "read") -> Sql:
        """SECURITY: the WHERE clause of every read of a row of this resource."""
        rows = self.access.grant(row.resource.name, action).rows
        # A part has the attributes of its dispute: what holds of that row need not be tested for each of its parts again.
        return true() if row.resource.part and implies(row.seen, rows) else self.where(rows, row)

    def row_predicate(self, row: Row) -> Predicate:
        """What holds of a visible row: the predicate of its grant, and for a part what holds of its dispute."""
        rows = self.access.grant(row.resource.name).rows
        return all_of((rows, row.seen)) if row.resource.part else rows

    def dispute_predicate(self, row: Row) -> Predicate:
        """What holds of the dispute of a visible row, for the parts that are reached from it."""
        return self.access.grant("Dispute").rows if row.resource.name == "Dispute" else row.seen

    def where(self, predicate: Predicate, row: Row) -> Sql:
        """A predicate in SQL. True only where the predicate is; never null where it stands under NOT."""
        match predicate:
            case Always():
                return true()
            case Never():
                return false()
            case Eq(attribute=name, value=value):
                attribute = row.resource.attributes[name]
                assert attribute.value is not None
                if isinstance(value, ClaimRef):
                    return attribute.value(row) == self.claim(value)
                if isinstance(value, bool):
                    return attribute.value(row) if value else attribute.value(row).is_(false())
                return attribute.value(row) == literal_column(f"'{value}'", attribute.type)
            case In(attribute=name, claim=claim):
                attribute = row.resource.attributes[name]
                assert attribute.value is not None
                return attribute.value(row) == func.any(self.claim(claim))
            case Has(attribute=name, claim=claim):
                attribute = row.resource.attributes[name]
                assert attribute.contains is not None
                return attribute.contains(row, self.claim(claim))
            case And(parts=parts):
                return and_(*(self.where(part, row) for part in parts))
            case Or(parts=parts):
                return or_(*(self.where(part, row) for part in parts))
            case Not(part=part):
                return self.where(part, row).is_not(true())

    def accompanies(self, resource: str, part: str) -> bool:
        """Whether every part of every visible row is visible too. Parts of a dispute have its attributes, so grants compare."""
        rows, parts = self.access.grant(resource).rows, self.access.grant(part).rows
        return rows != Never() and implies(rows, parts)

    def made_through(self, relation: Relation, parent: Row, target: Row) -> list[Sql]:
        """SECURITY: a relation made by parts of a dispute at one of its ends shows only what the parts that the caller sees show."""
        if relation.through is None:
            return []
        name, on = relation.through
        dispute = target if target.resource.name == "Dispute" else parent
        link = alias(RESOURCES[name].table)
        seen, _ = self.row(RESOURCES[name], link, dispute.at, self.dispute_predicate(dispute))
        visible = self.visible(seen)
        if visible.compare(true()):
            return []
        clauses = (link.c.dispute_id == dispute["id"], on(parent, link), visible)
        return [exists(select(literal_column("1")).select_from(link).where(*clauses).correlate_except(link))]

    def sees_every(self, row: Row, part: str, given: Predicate = ALWAYS) -> Sql:
        """SECURITY: whether the caller sees every row of `part` that the row's dispute has or might have, by what the dispute is alone. It is
        asked before anything is said of there being such rows, or none. `given`: what is known to hold of the dispute."""
        own = RESOURCES[part].attributes.keys() - RESOURCES["Dispute"].attributes.keys()
        every = regardless_of(self.access.grant(part).rows, own)
        if implies(given, every):
            return true()
        dispute = row.at if row.dispute is None else row.dispute
        return self.where(every, Row(RESOURCES["Dispute"], dispute, dispute)).is_(true())

    def claim(self, reference: ClaimRef) -> Sql:
        """The bind of a claim (`claim_values` has its value)."""
        return bindparam(f"{self._claims}_{reference.slot}_{reference.name}", type_=CLAIMS[reference.name])

    # -- fields: the one place where a value's form is decided

    def shown(self, row: Row, name: str) -> Sql:
        """SECURITY: a field as the caller may see it: in clear, masked, or null."""
        field = row.resource.fields[name]
        rows, reading = self.row_predicate(row), self.access.grant(row.resource.name).field(field.policy)
        value = json_value(field.type, field.value(row)) if field.source is None else self._looked_up(row, field.source)
        if implies(rows, reading.clear):
            return value
        masked = json_value(field.type, field.masked(row, field.value(row))) if reading.masked != Never() else null()
        otherwise: Sql = masked if implies(rows, reading.masked) else null()
        branches: list[tuple[Sql, Sql]] = []
        if reading.clear != Never():
            branches.append((self.where(reading.clear, row), value))
        if reading.masked != Never() and not implies(rows, reading.masked):
            branches.append((self.where(reading.masked, row), masked))
        return case(*branches, else_=otherwise) if branches else otherwise

    def _looked_up(self, row: Row, source: Source) -> Sql:
        """SECURITY: the field of another row as the caller may see it there: null where they do not see that row, or not that field."""
        other, at = self.row(RESOURCES[source.resource], alias(RESOURCES[source.resource].table))
        return (
            select(self.shown(other, source.field))
            .select_from(at)
            .where(source.on(row, other.at), self.visible(other))
            .correlate(row.at)
            .scalar_subquery()
        )

    def reading(self, resource: str, name: str) -> FieldAccess:
        """Where a field of a resource shows, and how."""
        return self.access.grant(resource).field(RESOURCES[resource].fields[name].policy)

    def clear(self, row: Row, name: str) -> Sql:
        """SECURITY: whether the caller reads a field of a visible row in clear, for what is computed from it."""
        reading = self.reading(row.resource.name, name)
        if implies(self.row_predicate(row), reading.clear):
            return true()
        return self.where(reading.clear, row).is_(true())

    # -- what is withheld, and what may be done

    def withheld(self, row: Row, fields: Named, relations: Named, *, masked: bool) -> Sql:
        """The fields that are masked, or those that are hidden with the relations to resources of which no row is visible; a JSON list.
        `fields`, `relations`: each with the name under which it is listed."""
        rows, grant = self.row_predicate(row), self.access.grant(row.resource.name)
        always: list[str] = []
        sometimes: dict[tuple[Predicate, Predicate], list[str]] = {}
        for name, shown_as in fields:
            field = row.resource.fields[name]
            reading = grant.field(field.policy)
            if field.source is not None and self._never_reads(field.source):
                if not masked:
                    always.append(shown_as)
                continue
            if implies(rows, reading.clear):
                continue
            clear_never, masked_always = reading.clear == Never(), implies(rows, reading.masked)
            if (masked and reading.masked == Never()) or (not masked and masked_always):
                continue
            if clear_never and (masked_always if masked else reading.masked == Never()):
                always.append(shown_as)
            else:
                sometimes.setdefault((reading.clear, reading.masked), []).append(shown_as)
        if not masked:
            always += [shown for name, shown in relations if self._is_hidden(row.resource.relations[name])]
        if not sometimes:
            # The same for every row: a JSON constant, not built for each of them.
            return literal_column("'[" + ",".join(f'"{name}"' for name in always) + "]'::json")
        parts: list[Sql] = [text_array(always)]
        for (clear, mask), names in sometimes.items():
            no_clear = self.where(clear, row).is_not(true())
            wanted = self.where(mask, row).is_(true()) if masked else self.where(mask, row).is_not(true())
            parts.append(case((and_(no_clear, wanted), text_array(names)), else_=text_array([])))
        total = parts[0]
        for part in parts[1:]:
            total = total.concat(part)
        return func.to_json(total)

    def _never_reads(self, source: Source) -> bool:
        """Whether the field is in clear on no row of the other resource."""
        return (
            self.access.grant(source.resource).rows == Never()
            or self.reading(source.resource, source.field).clear == Never()
        )

    def _is_hidden(self, relation: Relation) -> bool:
        parts = () if relation.through is None else (relation.through[0],)
        return any(self.access.grant(resource).rows == Never() for resource in (relation.target, *parts))

    def sees_guarded(self, row: Row, resource: str, action: str) -> list[Sql]:
        """SECURITY: what must hold beside the policy's rows for the guards of an action to be asked: the caller sees all that they rest on.

        So neither `access.can` nor a refusal tells whether there are rows that are hidden.
        """
        given = self.access.grant(resource, action).rows
        clauses = (self.sees_every(row, part, given) for part in rests_on(resource, action))
        return [clause for clause in clauses if not clause.compare(true())]

    def can(self, row: Row) -> Sql:
        """The actions that would succeed on the row now: policy, guards and state, in this order; an array of their names."""
        chosen: list[Sql] = []
        impartial: list[bool] = []
        for action, transition in offered_actions(row.resource.name, row.resource.actions):
            rows = self.access.grant(row.resource.name, action).rows
            if rows == Never():
                continue
            clauses = [
                self.where(rows, row),
                *self.sees_guarded(row, row.resource.name, action),
                *(guard.holds(row) for guard in transition.guards),
            ]
            if transition.states is not None:
                clauses.append(row["state"].in_(literals(transition.states)))
            elif row.dispute is not None and not transition.on_archived:
                # The parts of an archived dispute never change.
                clauses.append(row.dispute.c.state != literal_column("'ARCHIVED'"))
            chosen.append(case((and_(*clauses), literal_column(f"'{action}'"))))
            impartial.append(transition.impartial)
        if not chosen:
            return func.to_json(text_array([]))
        every = func.array_remove(array[Any](chosen, type_=Text()), null())
        if row.dispute is None or not any(impartial):
            return func.to_json(every)
        # Whoever has an interest in the dispute may only do what needs no impartiality, such as stepping back.
        others = [one for one, needed in zip(chosen, impartial, strict=True) if not needed]
        few = func.array_remove(array[Any](others, type_=Text()), null()) if others else text_array([])
        return func.to_json(case((is_interested(row.dispute_id, CALLER_ID), few), else_=every))


def claim_values(access: Access, claims: str = "claim") -> dict[str, Any]:
    """The values of the binds by which a statement refers to the claims of an access."""
    return {
        f"{claims}_{slot}_{name}": value for slot, values in enumerate(access.claims) for name, value in values.items()
    }


def scope_of(row: Row) -> tuple[FromClause, ...]:
    """The FROM elements to which a sub-select below a row may refer."""
    return (row.at,) if row.dispute is None or row.dispute is row.at else (row.at, row.dispute)
