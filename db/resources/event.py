"""Events: the audit trail of a dispute and of what belongs to none."""

from sqlalchemy import Uuid

from db import tables as t
from db.resources.attributes import column
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one

EVENT = declare_part(
    "Event",
    "事件",
    t.event,
    order="at desc",
    relations=[IN_DISPUTE, one("actor", "Person", "actor_id")],
    attributes=[column("actor_id", "操作人", Uuid())],
)
