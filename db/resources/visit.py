"""Work in the grids: inspections, visits, and the factors that may affect performance."""

from sqlalchemy import Uuid

from db import tables as t
from db.resources.attributes import AREAS_ABOVE, column
from db.resources.declaration import declare
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one

INSPECTION = declare(
    "Inspection",
    "排查",
    t.inspection,
    order="inspected_on desc",
    relations=[one("area", "Area", "grid_code", "code"), one("person", "Person", "person_id")],
    attributes=[column("grid_code", "所属网格"), *AREAS_ABOVE, column("person_id", "排查人", Uuid())],
    actions=frozenset({"read", "record"}),
)

VISIT = declare_part(
    "Visit",
    "走访",
    t.visit,
    order="visited_at",
    relations=[IN_DISPUTE, one("visitor", "Person", "visitor_id")],
    attributes=[column("visitor_id", "走访人", Uuid())],
    actions=frozenset({"read", "record"}),
)

FACTOR = declare_part(
    "Factor",
    "影响履行的因素",
    t.factor,
    order="noted_at",
    relations=[IN_DISPUTE, one("author", "Person", "author_id")],
    attributes=[column("author_id", "记录人", Uuid())],
)
