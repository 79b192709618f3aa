"""The functions of the database that mask a value, and those that cut a text into what search looks for."""

from collections.abc import Iterator
from random import Random
from unicodedata import category

import pytest

from db.canonical.forms import fold
from db.postgres.address import Address
from tests.databases import lend
from tests.db.world import connected
from tests.laws.addresses import COMPOUNDS, PARTS, PLACES, mask_address


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
        ("mask_address(NULL)", None),
        ("mask_address('')", ""),
        ("bigrams('水卡充值')", ["充值", "卡充", "水卡"]),
        ("bigrams('停水 3 天，Ａ b c')", [",a", "3天", "停水", "天,", "水3"]),
        ("bigrams('好')", []),
        ("bigrams('')", []),
        ("bigrams(NULL)", None),
        ("searched('停水 3 天；Unit  Ａ 座\u200b〔2023〕—1')", "停水3天;unit  a座(2023)-1"),
        ("search_words(' 停水  3 天　Ａ座 停水')", ["3", "a座", "停水", "天"]),
        ("search_pairs('停水3 天 a')", ["停水", "水3"]),
        ("search_pairs('')", []),
        ("search_by_pairs('停水 充值')", True),
        ("search_by_pairs('停水 天')", False),
        ("search_by_pairs('')", False),
        (r"search_patterns('50%_\')", [r"%50\%\_\\%"]),
    ],
)
async def test_masks_and_grams(migrated: Address, call: str, expected: object) -> None:
    async with connected(migrated) as connection:
        assert await connection.fetchval(f"SELECT {call}") == expected


ADDRESSES = {
    "冠县崇文街道听松苑6号楼2单元1501室": "冠县崇文街道听松苑***",
    "山东省聊城市冠县烟庄街道和风小区3号楼": "山东省聊城市冠县烟庄街道和风小区***",
    "①号楼Ⅱ单元": "***",
    "甲单元东户": "***",
    "三单元甲院": "***",
    "十二号楼B座二〇一室": "***",
    "６号楼Ａ座１２室": "***",
    "听松苑东户": "听松苑***",
    "听松苑找王村": "听松苑***",
    "水城花园李龙家": "水城花园***",
    "滨河路一百零二号": "滨河路***",
    "王庄村三组5号": "王庄村***",
    "柳树巷 7 号": "柳树巷***",
    "老街": "老街",
    "和风小区": "和风小区",
    "和风小区\n1501": "和风小区***",
    "Ⅲ": "***",
    "李龙": "***",
    "🏠": "***",
}


async def test_an_address_shows_what_is_known_to_be_harmless(migrated: Address) -> None:
    """The function of the database, and its twin in the laws, which is written in another way."""
    random = Random(7)
    alphabet = PLACES + COMPOUNDS + PARTS + "崇文听松和风东西李龙家小花新公山 0９ａZ①Ⅱ-#\n"
    made = ["".join(random.choices(alphabet, k=random.randint(1, 12))) for _ in range(2_000)]
    made += [
        f"{a}{b}{c}"
        for a in ("崇文街道", "老街", "王庄")
        for b in ("听松苑", "和风小区", "水城", "")
        for c in ("", "花园", "东户", "甲栋")
    ]
    addresses = [*ADDRESSES, *made, "听" * 15 + "苑", "听" * 16 + "苑"]
    async with connected(migrated) as connection:
        rows = await connection.fetch(
            "SELECT mask_address(one) FROM unnest($1::text[]) WITH ORDINALITY AS of (one, n) ORDER BY n", addresses
        )
    masked = dict(zip(addresses, (row[0] for row in rows), strict=True))
    assert {one: masked[one] for one in ADDRESSES} == ADDRESSES
    assert {one: mask_address(one) for one in addresses} == masked


async def test_what_is_folded_is_the_same_in_python(migrated: Address) -> None:
    """Every character that both know: a search is refused as too short by what the database would look for."""
    every = [chr(code) for code in range(1, 0x30000) if category(chr(code)) not in ("Cn", "Cs", "Co")]
    async with connected(migrated) as connection:
        rows = await connection.fetch(
            "SELECT folded(one) FROM unnest($1::text[]) WITH ORDINALITY AS of (one, n) ORDER BY n", every
        )

    def counted(text: str) -> list[str]:
        return [one for one in text.lower() if one.isalnum()]

    differing = [one for one, row in zip(every, rows, strict=True) if counted(fold(one)) != counted(row[0])]
    # Of a capital with a dot Python makes two characters, of which one counts.
    assert differing in ([], ["İ"])


async def test_masks_are_put_into_the_query(migrated: Address) -> None:
    """A call per row would be slow, and is what a function becomes that cannot be inlined."""
    async with connected(migrated) as connection:
        plan = await connection.fetch(
            "EXPLAIN (VERBOSE, COSTS OFF) SELECT mask_name(name), mask_phone(phone), mask_address(address) FROM party"
        )
    assert "mask_" not in "\n".join(row[0] for row in plan)
