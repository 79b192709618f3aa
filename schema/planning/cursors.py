"""Cursors: positions under an order, each with the mark of the question that made it.

A position means nothing in another list, under another order or filter, or for somebody else: rows would come twice and others never.
The mark is a keyed digest of all that, so that nothing of a filter can be told from it. A list below a row adds the row's id, which
the statement compares (`db.query.pages`).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import decimal
import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.types import Boolean, Date, DateTime, Integer, Numeric, TypeEngine, Uuid

from db.query import plan as p
from schema.planning import coercion
from schema.planning.arguments import Argument, Call, Extract
from schema.planning.context import PlanningContext
from schema.refusal import Code, Refusal

FOREIGN = "游标无效：它出自另一个列表、排序或筛选，或您的权限、访问策略已有变更；请从头取起。"

_MARK_BYTES = 12
# Of the digest in base64.
_MARK_LENGTH = 16
# No cursor of ours is longer: a few keys, none longer than a title.
_LONGEST = 20_000


@dataclass(frozen=True)
class ListQuestion:
    """What a list is asked: its place, its order, its filter, and the shape of the caller's access."""

    fixed: bytes
    values: tuple[Extract, ...]
    below: bool

    @classmethod
    def of(
        cls,
        context: PlanningContext,
        place: tuple[str | None, str],
        conditions: Sequence[p.Condition],
        order: Sequence[p.Order],
    ) -> ListQuestion:
        """The question of a list as planned. `place`: the type of the row above (None: the root), and the field."""
        access = context.access
        roles = sorted((one.role, sorted(one.missing)) for one in access.appointments)
        filters = [(one.fields, one.operator, one.variant) for one in conditions]
        keys = [(key.field, key.descending) for key in order]
        fixed = repr((access.policy.version, access.policy.sha256, roles, place, filters, keys)).encode()
        values = tuple(context.extracts[one.bind] for one in conditions if one.bind in context.extracts)
        return cls(hashlib.sha256(fixed).digest(), values, place[0] is not None)

    def mark(self, call: Call) -> str:
        """The mark of the cursors that the list gives in a call. Raises Refusal."""
        asked = repr([value(call) for value in self.values]).encode()
        digest = hashlib.blake2b(
            self.fixed + call.person_id.bytes + asked, key=call.cursor_key, digest_size=_MARK_BYTES
        )
        return base64.b64encode(digest.digest()).decode()

    def position(
        self, argument: Argument, types: Sequence[TypeEngine[Any]], path: tuple[str, ...]
    ) -> tuple[Extract, list[Extract]]:
        """How to read the id of the row above and the keys of a cursor. A cursor of another question is refused."""

        def parts(call: Call) -> list[Any]:
            text = argument.read(call)
            if len(text) > _LONGEST:
                raise ValueError("no cursor is as long")
            found = orjson.loads(base64.b64decode(text, validate=True))
            if not isinstance(found, list) or len(found) != len(types) + 1 or not isinstance(found[0], str):
                raise ValueError("not as many keys")
            return found

        def parent(call: Call) -> uuid.UUID | None:
            try:
                mark = parts(call)[0]
                if not hmac.compare_digest(mark[:_MARK_LENGTH].encode(), self.mark(call).encode()):
                    raise ValueError("of another question")
                if not self.below and len(mark) == _MARK_LENGTH:
                    return None
                return uuid.UUID(mark[_MARK_LENGTH:])
            except _NOT_A_CURSOR:
                raise Refusal(Code.BAD_USER_INPUT, FOREIGN, path) from None

        def key(index: int) -> Extract:
            def extract(call: Call) -> Any:
                try:
                    return _typed(parts(call)[index + 1], types[index], last=index == len(types) - 1)
                except _NOT_A_CURSOR:
                    raise Refusal(Code.BAD_USER_INPUT, FOREIGN, path) from None

            return extract

        return parent, [key(index) for index in range(len(types))]


_NOT_A_CURSOR = (ValueError, TypeError, binascii.Error, decimal.InvalidOperation, OverflowError)


def _typed(value: Any, kind: TypeEngine[Any], last: bool) -> Any:
    if value is None and not last:
        return None
    match kind:
        case Uuid():
            return uuid.UUID(str(value))
        case DateTime():
            moment = dt.datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError
            return moment.astimezone(dt.UTC)  # what leaves the calendar on the way is no position
        case Date():
            return dt.date.fromisoformat(value)
        case Boolean():
            if not isinstance(value, bool):
                raise ValueError
            return value
        case Integer():
            if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
                raise ValueError
            return value
        case Numeric():
            number = decimal.Decimal(str(value))
            if not number.is_finite() or abs(number) >= 10**12:
                raise ValueError
            return number
    if not isinstance(value, str) or not coercion.is_text(value):
        raise ValueError
    return value
