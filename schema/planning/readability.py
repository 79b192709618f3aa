"""What a caller may filter, order or compute by: only what the caller reads in clear on every row that they see."""

from __future__ import annotations

from db.query.visibility import Visibility
from db.resources.catalog import RESOURCES
from policies.grant import Access
from policies.predicate import Never
from schema.refusal import Code, Refusal


class Readability:
    """Whether an access reads a field on all rows that it sees."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def sees(self, resource: str) -> bool:
        """Whether there may be rows of the resource that the caller sees."""
        return self._access.grant(resource).rows != Never()

    def reads(self, resource: str, name: str) -> bool:
        """Whether the field is in clear on every visible row of the resource."""
        grant, fields = self._access.grant(resource), RESOURCES[resource].fields
        return name in fields and grant.rows != Never() and grant.reads(fields[name].policy)

    def accompanies(self, resource: str, part: str) -> bool:
        """Whether every part of every visible row is visible too. Parts of a dispute have its attributes, so grants compare."""
        return Visibility(self._access).accompanies(resource, part)

    def condition_fields(
        self, resource: str, name: str, operator: str, client_name: str, path: tuple[str, ...]
    ) -> tuple[str, ...]:
        """SECURITY: the fields that a condition may look into. Refuses unless the caller reads them on every row that they see."""
        if operator == "text":
            fields = tuple(field for field in ("title", "summary") if self.reads(resource, field))
        else:
            fields = (name,) if self._may_filter(resource, name, operator) else ()
        if fields:
            return fields
        message = f"不能按 {client_name} 筛选：您无权在全部可见的行上阅读该字段，请去掉这个条件。"
        raise Refusal(Code.FIELD_NOT_READABLE, message, path)

    def _may_filter(self, resource: str, name: str, operator: str) -> bool:
        match operator:
            case "party":
                # A party's field says something of the dispute, so all parties of every visible dispute must show it.
                return self.reads("Party", name.partition(".")[2]) and self.accompanies(resource, "Party")
            case "area":
                # Where a row lies is as public as the row.
                return self.sees(resource)
            case "mediator":
                return self.accompanies(resource, "Assignment")
            case "is":
                # What a hidden relation points to is hidden from a filter too.
                return self.sees(resource) and self.sees(RESOURCES[resource].relations[name].target)
        return self.reads(resource, name)
