"""Interim measures."""

from db import tables as t
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE

MEASURE = declare_part("Measure", "应急措施", t.measure, order="requested_at", relations=[IN_DISPUTE])
