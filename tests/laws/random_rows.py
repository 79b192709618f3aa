"""Random rows of the tables by resource, and the random values they are made of. The seed decides all of them."""

from __future__ import annotations

import datetime as dt
import decimal
import random
import uuid
from collections import defaultdict
from typing import Any

from db.calendar import COUNTY_TIME
from db.tables import metadata
from schema.names import snake

Record = dict[str, Any]


class RandomRows:
    """Rows by resource, without a database."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        self.today = self.now.astimezone(COUNTY_TIME).date()
        self.rows: dict[str, list[Record]] = defaultdict(list)
        self._parts: dict[tuple[str, uuid.UUID], list[Record]] = defaultdict(list)
        self._last = 0

    def add(self, resource: str, /, **row: Any) -> Record:
        """One more row, with an id."""
        table = metadata.tables[snake(resource)]
        assert row.keys() <= set(table.c.keys()), resource
        empty = {column.name: None for column in table.c if column.nullable and column.server_default is None}
        row = {**empty, "id": uuid.UUID(int=self.random.getrandbits(128), version=4), **row}
        self.rows[resource].append(row)
        if row.get("dispute_id") is not None:
            self._parts[resource, row["dispute_id"]].append(row)
        return row

    def parts(self, resource: str, dispute_id: Any) -> list[Record]:
        """The rows of a dispute."""
        return self._parts.get((resource, dispute_id), [])

    def chance(self, share: float) -> bool:
        """Whether an event of this probability happens."""
        return self.random.random() < share

    def maybe(self, value: Any, share: float = 0.6) -> Any:
        """The value, or None."""
        return value if self.chance(share) else None

    def serial(self) -> int:
        """A number that never comes again."""
        self._last += 1
        return self._last

    def instant(self, days: int) -> dt.datetime:
        """A moment within so many days before now."""
        return self.now - dt.timedelta(days=self.random.randint(1, days), seconds=self.random.randint(0, 80_000))

    def day(self) -> dt.date:
        """Some weeks before or after today, never about today: the tests may run past midnight."""
        return self.today + dt.timedelta(days=self.random.choice((-1, 1)) * self.random.randint(3, 60))

    def money(self) -> decimal.Decimal:
        """An amount with two decimals."""
        return decimal.Decimal(self.random.randint(0, 9_999_999)).scaleb(-2)

    def phone(self) -> str:
        """A mobile number, a landline, or neither."""
        digits = "".join(self.random.choices("0123456789", k=8))
        return self.random.choice((f"139{digits}", f"0635-{digits[:7]}", f"010-{digits}", digits[:5], "12345-1", ""))

    def name(self) -> str:
        """A name of one to four characters."""
        return "".join(self.random.choices("张王李赵陈杨刘黄欧阳", k=self.random.choice((1, 2, 2, 3, 3, 4))))

    def words(self) -> str:
        """A short text."""
        return "".join(self.random.choices("物业费电梯漏水车位停暖噪声协商", k=self.random.randint(2, 9)))

    def address(self) -> str:
        """An address with or without numbers."""
        return self.random.choice(("幸福里3号楼2单元501室", "滨河路一百零二号", "Ａ区12栋b座", "老街", "柳树巷７号"))

    def pick(self, resource: str) -> Record:
        """One of the rows."""
        return self.random.choice(self.rows[resource])

    def code(self) -> str:
        """The code of one of the areas, more often a small one."""
        return str(self.pick("Area")["code"])
