"""Conditions of a filter in SQL. The planner has refused those on fields that the caller does not read (`schema.planning.readability`)."""

from __future__ import annotations

from sqlalchemy import all_, and_, bindparam, cast, exists, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Date, DateTime, Text, Uuid

from db import tables as t
from db.calendar import COUNTY_ZONE
from db.query import plan as p
from db.query.visibility import Visibility, scope_of
from db.resources.aliases import alias
from db.resources.catalog import RESOURCES
from db.resources.resource import Row, Sql
from db.tables.dispute import LATER, public_text
from policies.predicate import implies

_COUNTY_TIME: Sql = literal_column(f"'{COUNTY_ZONE}'")
# The column of an area's level, by the length of its code.
_AREA_COLUMNS = {6: "county_code", 9: "town_code", 12: "community_code", 15: "grid_code"}


def condition(visibility: Visibility, row: Row, condition: p.Condition) -> Sql:
    """One condition of a filter as a WHERE clause. The planner has ascertained that the caller reads its fields in clear."""
    name, bind = condition.fields[0], condition.bind
    if condition.operator in ("party", "mediator", "is", "area", "text"):
        return _related(visibility, row, condition)
    field = row.resource.fields[name]
    value = field.value(row)
    single = bindparam(bind, type_=field.type)
    match condition.operator:
        case "in":
            return value == func.any(bindparam(bind, type_=ARRAY(Text)))
        case "eq":
            return value == single
        case "from":
            return value >= single
        case "to":
            return value <= single
        case "before_day":
            day = bindparam(bind, type_=Date())
            return and_(value < day, *_registered_before(row, name, _day_start(day)))
        case "from_day":
            return value >= _day_start(bindparam(bind, type_=Date()))
        case "to_day":
            end = _day_start(bindparam(bind, type_=Date()) + literal_column("1"))
            return and_(value < end, *_registered_before(row, name, end))
        case "flag":
            # Without IS TRUE, so that its parts may be looked up in an index; in a WHERE clause null counts as false.
            return value if condition.variant else value.is_not(true())
        case "present":
            return value.is_not(None) if condition.variant else value.is_(None)
    raise AssertionError(condition.operator)


def _registered_before(row: Row, name: str, end: Sql) -> list[Sql]:
    """The bound on the registration that a bound on a later date implies (the constraint `course` of the table): a scan in page order
    begins there, not at the newest row."""
    return [row["registered_at"] < end] if row.resource.name == "Dispute" and name in LATER else []


def _related(visibility: Visibility, row: Row, condition: p.Condition) -> Sql:
    """A condition on more than a field of the row: a relation, a part, the text or the area."""
    name, bind = condition.fields[0], condition.bind
    match condition.operator:
        case "is":
            return and_(row[f"{name}_id"] == bindparam(bind, type_=Uuid()), _sees_target(visibility, row, name))
        case "mediator":
            at, register = alias(t.assignment), alias(t.mediator)
            return exists(
                select(literal_column("1"))
                .select_from(at.join(register, register.c.person_id == at.c.person_id))
                .where(
                    at.c.dispute_id == row["id"],
                    at.c.ended_at.is_(None),
                    register.c.id == bindparam(bind, type_=Uuid()),
                )
                .correlate(row.at)
            )
        case "party":
            party, where = visibility.row(RESOURCES["Party"], alias(t.party), row.at)
            field = name.partition(".")[2]
            return exists(
                select(literal_column("1"))
                .select_from(where)
                .where(
                    party["dispute_id"] == row["id"],
                    visibility.visible(party),
                    party[field] == bindparam(bind, type_=Text()),
                )
                .correlate(row.at)
            )
        case "text":
            return or_(*(_contains(row, field, bindparam(bind, type_=Text())) for field in condition.fields))
    return _within_area(visibility, row, condition)


def _sees_target(visibility: Visibility, row: Row, name: str) -> Sql:
    """SECURITY: whether the caller sees the row to which a relation leads: no filter finds what the relation does not show."""
    relation = row.resource.relations[name]
    target = RESOURCES[relation.target]
    if (
        relation.target == "Dispute"
        and row.resource.part
        and implies(visibility.row_predicate(row), visibility.access.grant("Dispute").rows)
    ):
        return true()
    other, at = visibility.row(target, alias(target.table))
    visible = visibility.visible(other)
    if visible.compare(true()):
        return visible
    on = (relation.on(row, other.at), visible)
    return exists(select(literal_column("1")).select_from(at).where(*on).correlate(*scope_of(row)))


def _contains(row: Row, field: str, words: Sql) -> Sql:
    """Whether every word occurs: the pairs of characters propose, from their index; the text decides, unless every word is a pair."""
    grams, text = {
        "title": ("public_grams", public_text(row.__getitem__)),
        "summary": ("narrative_grams", row["summary"]),
    }[field]
    # Scalar sub-selects: computed once for the statement, not for each row.
    pairs, exact, patterns = (
        select(function(words)).scalar_subquery()
        for function in (func.search_pairs, func.search_by_pairs, func.search_patterns)
    )
    return and_(row[grams].contains(pairs), or_(exact, func.searched(text).like(all_(cast(patterns, ARRAY(Text))))))


def _within_area(visibility: Visibility, row: Row, condition: p.Condition) -> Sql:
    """Rows in an area; the length of the code (the condition's variant) tells its level."""
    code = bindparam(condition.bind, type_=Text())
    assert condition.variant is not None
    at = row.dispute if row.dispute is not None else row.at
    column = _AREA_COLUMNS[condition.variant]
    if column in at.c:
        return at.c[column] == code
    own = {
        "Area": "code",
        "Organization": "area_code",
        "Compound": "grid_code",
        "Team": "grid_code",
        "Inspection": "grid_code",
    }.get(row.resource.name)
    if own is not None:
        return func.starts_with(row[own], code)
    organization, at = visibility.row(RESOURCES["Organization"], alias(t.organization))
    within = (func.starts_with(organization["area_code"], code), visibility.visible(organization))
    return row["organization_id"].in_(select(organization["id"]).select_from(at).where(*within))


def _day_start(day: Sql) -> Sql:
    """The instant at which a day begins in the county."""
    return func.timezone(_COUNTY_TIME, cast(day, DateTime()))
