"""What a text search finds: what the folded text contains, whatever its index proposes; and what is too short to be looked up."""

import unicodedata
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from tests.office import Office, name_of

QUERY = "query($t: String!) { disputes(filter: {text: $t}, first: 200) { totalCount nodes { id title } } }"
TITLES = (
    "停水3天", "停水 3 天", "车位管理与单位费用公示", "车位费",
    "Ａ座电梯　停运", "Unit a b 区", "50%_物业费\\", "停\u200b电", "〔1999〕甲 栋楼漏水—复查", "水",
)  # fmt: skip
# What is searched for, and which of the titles contain it.
FOUND = {
    "停水 3 天": {"停水3天", "停水 3 天"},
    "停水3天": {"停水3天", "停水 3 天"},
    "３天": {"停水3天", "停水 3 天"},
    "天 停水": {"停水3天", "停水 3 天"},
    "车位费": {"车位费"},
    "车位 费": {"车位费", "车位管理与单位费用公示"},
    "位费": {"车位费", "车位管理与单位费用公示"},
    "a座电梯": {"Ａ座电梯　停运"},
    "电梯停运": {"Ａ座电梯　停运"},
    "Unit a": {"Unit a b 区"},
    "ab区": set(),
    "50%_": {"50%_物业费\\"},
    "0%物": set(),
    "停电": {"停\u200b电"},
    "(1999)": {"〔1999〕甲 栋楼漏水—复查"},
    "漏水-复查": {"〔1999〕甲 栋楼漏水—复查"},
    "停水 电梯": set(),
}  # fmt: skip
TOO_SHORT = ["", " ", "！！", "水", "！水！", "3 天", "…… 。", "\u200b", "%", "__", "水\u200b", "a"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def titled(office: Office) -> set[str]:
    """Disputes of these titles alone, on the office's county."""
    keys = await office.rows("SELECT id FROM dispute WHERE state <> 'ARCHIVED' ORDER BY id LIMIT $1", len(TITLES))
    for row, title in zip(keys, TITLES, strict=True):
        await office.execute(
            "UPDATE dispute SET title = $2, public_summary = '三楼', summary = '略' WHERE id = $1", row["id"], title
        )
    return {f"Dispute:{row['id']}" for row in keys}


async def _find(office: Office, text: str, titled: set[str]) -> set[str]:
    found = (await office.gql.data(name_of("bureau_admin"), QUERY, t=text))["disputes"]
    return {one["title"] for one in found["nodes"] if one["id"] in titled}


@pytest.mark.parametrize("text", FOUND)
async def test_what_the_text_contains_is_found_and_nothing_else(office: Office, titled: set[str], text: str) -> None:
    assert await _find(office, text, titled) == FOUND[text]


@pytest.mark.parametrize("text", TOO_SHORT)
async def test_no_token_is_no_condition_but_refused(office: Office, text: str) -> None:
    answer: Any = await office.gql.ask(name_of("bureau_admin"), QUERY, t=text)
    assert answer.codes == ["BAD_USER_INPUT"]
    assert "两个字" in answer.errors[0]["message"]


def _folded(text: str) -> str:
    shown = "".join(one for one in unicodedata.normalize("NFKC", text) if one != "\u200b").lower()
    return shown.translate(str.maketrans("—〔〕", "-()"))


async def test_any_part_of_a_title_finds_it(office: Office, titled: set[str]) -> None:
    """A piece of one title, alone or with a piece of another: found where every word of it stands."""
    random = Random(3)
    for _ in range(60):
        title, start = random.choice(TITLES), random.randint(0, 8)
        wanted = f"{title[start : start + random.randint(2, 6)]} {random.choice([*TITLES, ''])[:2]}"
        words = _folded(wanted).split()
        if any(sum(map(str.isalnum, word)) >= 2 for word in words):
            expected = {one for one in TITLES if all(word in _searched(_folded(one)) for word in words)}
            assert await _find(office, wanted, titled) == expected, wanted


def _searched(text: str) -> str:
    """Blanks count between Latin letters and numbers alone."""
    latin = [one.isascii() and one.isalnum() for one in text]
    kept = (
        not one.isspace() or (0 < i < len(text) - 1 and latin[i - 1] and latin[i + 1]) for i, one in enumerate(text)
    )
    return "".join(one for one, keep in zip(text, kept, strict=True) if keep)


async def test_words_stand_in_one_text_together(office: Office, titled: set[str]) -> None:
    """A word does not run from the title into the summary."""
    assert await _find(office, "3天三楼", titled) == set()
    assert await _find(office, "3天 三楼", titled) == {"停水3天", "停水 3 天"}
