"""The catalog: every relation leads to a resource, and every part of a dispute has the attributes of its dispute."""

from pathlib import Path

from db.resources.catalog import CATALOG, CLAIMS, RESOURCES
from db.resources.part import DISPUTE_ATTRIBUTES
from tests.paths import ROOT

# Tables that no policy speaks of: they hold no resource.
TABLES_ALONE = {"access", "calendar", "column", "impact", "part", "request", "tally"}
# What nouns are declared with.
NO_NOUNS = {
    "aliases",
    "attributes",
    "catalog",
    "declaration",
    "guarded",
    "guards",
    "interest",
    "part",
    "relations",
    "resource",
    "transitions",
}


def _modules(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


def test_every_relation_leads_to_a_resource() -> None:
    targets = {relation.target for resource in RESOURCES.values() for relation in resource.relations.values()}
    assert targets <= RESOURCES.keys()


def test_an_order_names_columns() -> None:
    for resource in RESOURCES.values():
        assert {column for column, _ in resource.order} <= set(resource.table.c.keys())
        for relation in resource.relations.values():
            assert set(relation.order) <= set(RESOURCES[relation.target].table.c.keys())


def test_every_part_has_the_attributes_of_its_dispute() -> None:
    """A condition that a rule states for the dispute must mean something on each of its parts."""
    shared = {attribute.policy.name for attribute in DISPUTE_ATTRIBUTES}
    for resource in RESOURCES.values():
        assert (shared <= resource.attributes.keys()) == (resource.part or resource.name == "Dispute"), resource.name


def test_what_is_part_of_one_dispute_stays_in_it() -> None:
    """A relation that is trusted to stay in the dispute joins parts, or the dispute and a part."""
    for resource in RESOURCES.values():
        for relation in resource.relations.values():
            if relation.same_dispute:
                assert RESOURCES[relation.target].part
                assert resource.part or resource.name == "Dispute"


def test_each_claim_has_its_sql_type() -> None:
    assert CLAIMS.keys() == CATALOG.claims.keys()


def test_a_noun_has_one_name_in_tables_and_resources() -> None:
    assert _modules(ROOT / "db/tables") - TABLES_ALONE == _modules(ROOT / "db/resources") - NO_NOUNS
