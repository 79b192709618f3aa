"""One canonical form for each kind of identity: the ways in which people type it come to the same."""

import pytest

from db.canonical import forms

# Kind -> canonical form -> other ways to write it.
WAYS = {
    "reference": {
        "GD-1": ["GD-1 ", "GD－1", "gd-1", "ＧＤ－１", "G D-1", "GD\u200b-1", "GD—1", "\ufeffGD‐1"],
        "(2024)HOT-7": ["（2024）hot-7", "〔2024〕HOT-7", "【2024】 HOT−7"],
    },
    "case_number": {
        "(2023)崇文人调字第047号": [
            "（2023）崇文人调字第047号",
            "〔2023〕崇文人调字第047号",
            "【２０２３】崇文人调字第０４７号",
            " (2023) 崇文人调字 第047号 ",
            "(2023)崇文人调字第47号",
            "[2023]崇文人调字第047号\u200b",
        ],
        "(2024)鲁1525诉前调确12号": ["（2024）鲁1525诉前调确12号", "（２０２４）鲁１５２５ 诉前调确１２号"],
    },
    "phone": {
        "13800001234": [
            "138-0000-1234", "138 0000 1234", "+86 13800001234", "+8613800001234", "0086-13800001234", "8613800001234",
            "１３８００００１２３４", "(+86)138 0000 1234", "138\u200b00001234", "138.0000.1234", "138—0000—1234",
        ],
        "0635-2951234": [
            "06352951234", "0635 2951234", "(0635)2951234", "（0635）2951234", "０６３５－２９５１２３４", "0635—295 1234",
            "+86-635-2951234", "+86 0635 2951234", "0635-295-1234",
        ],
        "010-88812345": ["01088812345", "(010)8881 2345"],
    },
    "id_number": {
        "11010519491231002X": [
            "11010519491231002x", "１１０１０５１９４９１２３１００２Ｘ", "110105 19491231 002x", "110105-19491231-002X",
            "1101051949123100\u200b2x",
        ]
    },
    "credit_code": {"91371525MA3TEYT02R": ["91371525ma3teyt02r", "９１３７１５２５ＭＡ３ＴＥＹＴ０２Ｒ", "91371525 MA3TEYT02R"]},
    "name": {
        "王小明": [" 王小明", "王 小 明", "王\u3000小明", "王\u200b小明"],
        "买买提·艾力": ["买买提・艾力", "买买提•艾力", "买买提．艾力", "买买提 · 艾力", "买买提‧艾力"],
        "聊城示例（崇文）物业有限公司": ["聊城示例(崇文)物业有限公司", "聊城示例 （崇文） 物业有限公司"],
        "John Smith": ["John  Smith ", "Ｊｏｈｎ Ｓｍｉｔｈ"],
    },
    "area_code": {"371525": ["371525000000", "371525000"], "371525002": ["371525002000"], "371525002001": [], "": []},
    "shared": {"电梯（3号）停了！": ["\u200b电梯（3号）停了！ "]},
}  # fmt: skip
CASES = [(kind, right, way) for kind, ways in WAYS.items() for right, others in ways.items() for way in others]


@pytest.mark.parametrize(("kind", "right", "way"), CASES)
def test_every_way_comes_to_the_canonical_form(kind: str, right: str, way: str) -> None:
    canonical = forms.CANONICAL[kind]
    assert canonical(way) == right
    assert canonical(right) == right


@pytest.mark.parametrize("kind", forms.CANONICAL)
@pytest.mark.parametrize("text", ["", " ", "。", "1", "+86", "0635", "转 12", "(", "·", "ß", "ﬁ", "①", "é", "가"])
def test_what_is_canonical_stays(kind: str, text: str) -> None:
    canonical = forms.CANONICAL[kind]
    assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize(
    "text",
    ["\u200b", "\ufeff", "\u2060 \u00ad", "\u3164", "\u2800", "\ufe0f", "\u202e", "\U000e0020", "·", "……", " 　"],
)
def test_a_name_that_shows_nothing_is_no_name(text: str) -> None:
    assert not forms.is_name(forms.person_name(text))


@pytest.mark.parametrize(
    "text", ["1", "12800001234", "138000012345", "8881234", "0635-295123", "0123-2951234", "0635-2951234-1"]
)
def test_what_is_no_phone_number_stays_none(text: str) -> None:
    assert not forms.is_phone(forms.phone(text))
