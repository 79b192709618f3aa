"""The 1+3 teams: one grid worker with one legal adviser, one law leader and one mediator, for one grid."""

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Table, Text, Uuid, text

from db.tables.column import Codes, code, column, identity, internal, metadata, one_of

TEAM_STATES = Codes(("FORMING", "ACTIVE", "DISSOLVED"))
# Not dissolved: members may be replaced, and it may be dissolved.
STANDING_STATES = ("FORMING", "ACTIVE")
TEAM_ROLES = Codes(("GRID_WORKER", "LEGAL_ADVISER", "LAW_LEADER", "MEDIATOR"))
# Policy role -> the team role in which its holder serves. An appointment's claim `team_ids` names the teams in which the person
# serves in that very role; a role that inherits one of these may fill the same place (db/commands/team.py). Checked against
# policy.csv by tests/db/commands/test_team.py.
TEAM_ROLE_OF = {
    "grid_worker": "GRID_WORKER",
    "legal_adviser": "LEGAL_ADVISER",
    "law_leader": "LAW_LEADER",
    "mediator": "MEDIATOR",
}

team = Table(
    "team",
    metadata,
    identity(),
    column("name", Text, "public", "团队名称", form="name"),
    code("state", TEAM_STATES, "状态"),
    column("formed_on", Date, "public", "组建日期"),
    column("dissolved_on", Date, "public", "撤销日期", nullable=True),
    internal("grid_code", Text, "服务网格", ForeignKey("area.code")),
    one_of("state", TEAM_STATES),
    CheckConstraint("dissolved_on IS NULL OR dissolved_on >= formed_on", name="dates"),
    Index("uq_team_active_grid", "grid_code", unique=True, postgresql_where=text("state = 'ACTIVE'")),
    Index("ix_team_grid_code", "grid_code"),
    Index("ix_team_name", "name", "id"),
    comment="“1+3”团队",
)

# Exactly one active member of each role in an ACTIVE team: at most one by the unique index, at least one by the deferred
# constraint trigger `team_complete` (see the migrations).
team_member = Table(
    "team_member",
    metadata,
    identity(),
    code("role", TEAM_ROLES, "在队角色"),
    column("valid_from", Date, "public", "加入日期"),
    column("valid_to", Date, "public", "退出日期", nullable=True),
    internal("team_id", Uuid, "团队", ForeignKey("team.id")),
    internal("person_id", Uuid, "成员", ForeignKey("person.id"), index=True),
    one_of("role", TEAM_ROLES),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity"),
    Index("uq_team_member_active_role", "team_id", "role", unique=True, postgresql_where=text("valid_to IS NULL")),
    Index("ix_team_member_team_id", "team_id"),
    comment="团队成员",
)
