"""The functions of the database that mask a value, and those that cut a text into what search looks for."""

from collections.abc import Iterator

import pytest

from db.postgres.address import Address
from tests.databases import lend
from tests.db.world import connected


@pytest.fixture(scope="module")
def migrated(template: Address) -> Iterator[Address]:
    """An empty, migrated database: the functions need no rows."""
    yield from lend(template)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("mask_name('李龙')", "李*"),
        ("mask_name('王小明')", "王**"),
        ("mask_name('欧阳小小明')", "欧**"),
        ("mask_name('李')", "*"),
        ("mask_name('')", ""),
        ("mask_name(NULL)", None),
        ("mask_phone('13812345678')", "138****5678"),
        ("mask_phone('0635-8881234')", "0635-*****34"),
        ("mask_phone('010-88812345')", "010-******45"),
        ("mask_phone('06358881234')", "***********"),
        ("mask_phone('+8613812345678')", "**************"),
        ("mask_phone('8881234')", "*******"),
        ("mask_phone(NULL)", None),
        ("mask_address('冠县崇文街道听松苑6号楼2单元1501室')", "冠县崇文街道听松苑*号楼*单元*室"),
        ("mask_address('十二号楼B座二〇一室')", "*号楼*座*室"),
        ("mask_address('六号楼Ａ座１２室')", "*号楼*座*室"),
        ("mask_address(NULL)", None),
        ("bigrams('水卡充值')", ["充值", "卡充", "水卡"]),
        ("bigrams('A座 Unit，好！')", ["a座", "it", "ni", "un", "好"]),
        ("bigrams('…，。')", []),
        ("bigrams('')", []),
        ("bigrams(NULL)", None),
    ],
)
async def test_masks_and_grams(migrated: Address, call: str, expected: object) -> None:
    async with connected(migrated) as connection:
        assert await connection.fetchval(f"SELECT {call}") == expected


async def test_masks_are_put_into_the_query(migrated: Address) -> None:
    """A call per row would be slow, and is what a function becomes that cannot be inlined."""
    async with connected(migrated) as connection:
        plan = await connection.fetch(
            "EXPLAIN (VERBOSE, COSTS OFF) SELECT mask_name(name), mask_phone(phone), mask_address(address) FROM party"
        )
    assert "mask_" not in "\n".join(row[0] for row in plan)
