"""Areas, with what lies in them."""

from db import tables as t
from db.resources.attributes import column
from db.resources.declaration import declare
from db.resources.relations import below, many, one

AREA = declare(
    "Area",
    "区划",
    t.area,
    order="code",
    relations=[
        one("parent", "Area", "parent_code", "code"),
        many("areas", "Area", "parent_code", own="code"),
        below("compounds", "Compound", "grid_code"),
        below("organizations", "Organization", "area_code"),
        below("teams", "Team", "grid_code"),
        below("disputes", "Dispute", "grid_code"),
    ],
    attributes=[column("code", "区划代码")],
)
