"""Property companies and residential compounds."""

from db import tables as t
from db.resources.attributes import column
from db.resources.declaration import declare
from db.resources.relations import many, one

COMPANY = declare(
    "Company", "物业企业", t.company, order="name", relations=[many("compounds", "Compound", "company_id")]
)

COMPOUND = declare(
    "Compound",
    "小区",
    t.compound,
    order="name",
    relations=[
        one("area", "Area", "grid_code", "code"),
        one("company", "Company", "company_id"),
        many("disputes", "Dispute", "compound_id"),
    ],
    attributes=[column("grid_code", "所属网格"), column("town_code", "所属镇街")],
)
