"""The 1+3 teams and their members."""

from sqlalchemy import Uuid

from db import tables as t
from db.resources.attributes import AREAS_ABOVE, column
from db.resources.declaration import declare
from db.resources.relations import many, one

TEAM = declare(
    "Team",
    "1+3团队",
    t.team,
    order="name",
    relations=[
        one("area", "Area", "grid_code", "code"),
        many("members", "TeamMember", "team_id", "role", "valid_from"),
        many("disputes", "Dispute", "team_id"),
    ],
    attributes=[column("grid_code", "服务网格"), *AREAS_ABOVE, column("id", "标识", Uuid())],
    actions=frozenset({"read", "form", "replace", "dissolve"}),
)

TEAM_MEMBER = declare(
    "TeamMember",
    "团队成员",
    t.team_member,
    order="valid_from",
    relations=[one("team", "Team", "team_id"), one("person", "Person", "person_id")],
    attributes=[column("team_id", "团队", Uuid()), column("person_id", "人员", Uuid())],
)
