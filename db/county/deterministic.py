"""Deterministic sources of the demo county: identifiers and choices from hashes of names, and no clock. It is the same on every machine."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, TypeVar
from uuid import UUID, uuid5

from db import calendar

NAMESPACE = UUID("3f1d5c1e-9a52-5b7e-8c35-371525002001")

# No holidays: the demo county knows weekends alone.
WEEKS = calendar.Calendar()

Item = TypeVar("Item")
Row = dict[str, Any]

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程"
    "曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
)
GIVEN_NAMES = (
    "晓梅 建华 玉兰 志远 文涛 春燕 国栋 秀英 立新 海燕 明 丽 家豪 思远 雅琴 庆丰 宝山 凤霞 俊杰 桂芳 浩然 淑珍 振东 "
    "金凤 少华 静 强 慧 永刚 彩云 广林 素芬 子涵 卫东 红梅 佳琪 万福 月娥 鹏飞 银环 兆祥 翠萍 天佑 若兰 长河 晨曦 守业 "
    "香菊 光明 雪莲 德才 欣怡 来顺 巧珍 学文 佩瑶 洪涛 喜凤 世杰 爱莲"
).split()


def identifier(table: str, name: str) -> UUID:
    """A UUID of version 5: the same for the same table and name."""
    return uuid5(NAMESPACE, f"{table}:{name}")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of a day in the county."""
    return datetime.combine(day, time(hour, minute), calendar.COUNTY_TIME)


def workday(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return WEEKS.next_working_day(day)


def people_names(taken: set[str]) -> Iterator[str]:
    """Invented names, each once, without those in `taken`."""
    seen = set(taken)
    number = 0
    while True:
        name = (
            SURNAMES[(number * 11 + number // 60) % len(SURNAMES)]
            + GIVEN_NAMES[(number * 7 + number // 60) % len(GIVEN_NAMES)]
        )
        number += 1
        if name not in seen:
            seen.add(name)
            yield name


class HashRandom:
    """Choices that depend on a name only. Not the module `random`: its choices may differ from one Python to the next."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def randrange(self, limit: int) -> int:
        """From 0 to `limit` - 1."""
        self._count += 1
        digest = hashlib.sha256(f"{self._name}#{self._count}".encode()).digest()
        return int.from_bytes(digest[:8]) % limit

    def randint(self, low: int, high: int) -> int:
        """Both ends included."""
        return low + self.randrange(high - low + 1)

    def choice(self, options: Sequence[Item]) -> Item:
        return options[self.randrange(len(options))]

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return self.randrange(100) < percent


class Rows:
    """The rows of the county by table, in the order in which they were written."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = defaultdict(list)

    def add(self, table: str, name: str, /, **values: Any) -> UUID:
        """Add a row whose identifier comes from `name`."""
        result = identifier(table, name)
        self.tables[table].append({"id": result, **values})
        return result
