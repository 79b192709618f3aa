"""Organizations, with their mediators and appointments."""

from sqlalchemy import Uuid

from db import tables as t
from db.resources.attributes import column
from db.resources.declaration import declare
from db.resources.relations import many, one

ORGANIZATION = declare(
    "Organization",
    "机构",
    t.organization,
    order="name",
    relations=[
        one("area", "Area", "area_code", "code"),
        one("parent", "Organization", "parent_id"),
        many("mediators", "Mediator", "organization_id"),
        many("appointments", "Appointment", "organization_id", "valid_from"),
    ],
    attributes=[column("id", "标识", Uuid()), column("area_code", "辖区"), column("kind", "机构类型")],
)
