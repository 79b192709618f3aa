"""Personal data in texts: what is found however it is typed, and what is none."""

import pytest

from db.canonical.personal_data import find_personal_data

PHONE, LANDLINE, NUMBER, CARD, NAME = "手机号码", "座机号码", "身份号码", "银行卡号", "当事人姓名"
TOLD = {
    PHONE: [
        "王小明13800001234反映漏水", "１３８００００１２３４", "138-0000-1234", "138 0000 1234", "138.0000.1234", "138/0000/1234",
        "+86138 0000 1234", "+86-13800001234", "008613800001234", "(+86)13800001234", "1 3 8 0 0 0 0 1 2 3 4", "138\u200b00001234",
        "一三八零零零零一二三四", "幺三八〇〇〇〇一二三四", "1三8零零零零1234", "138—0000—1234", "GD13800001234", "2024-02-20 13800001234",
        "电话:13800001234,请回", "138 00001234 3号楼",
    ],
    LANDLINE: ["0635-2951234", "06352951234", "(0635)2951234", "（0635）295 1234", "010-88812345", "+86-635-2951234", "零六三五二九五一二三四"],
    NUMBER: [
        "身份证371525190001010016", "３７１５２５１９０００１０１００１６", "371525 19000101 0016", "371525-19000101-0016", "37152519000101001X",
        "11010519491231002x", "371525900101001", "三七一五二五一九零零零一零一零零一六", "371525190001010016 5号楼",
    ],
    CARD: ["4111111111111111", "4111 1111 1111 1111", "6222-0200-0000-0000-000"],
}  # fmt: skip
NOTHING = [
    "2024年2月20日 9:30", "2024-02-20 09:00 至 2024-02-21 10:00", "2023.12.27—2024.2.20", "2019-2020、2021-2022 两个年度", "物业费1860元",
    "金额13800001234元", "1,380,000.00 元", "3号楼2单元1501室", "(2023)崇文人调字第047号", "（2024）鲁1525诉前调确12号", "网格371525002001001",
    "工单20240220000012345", "请拨打12345、12348", "91371525MA3TEYT02R", "第一千二百三十四条", "",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TOLD.items() for text in texts])
def test_numbers_of_people_are_found(kind: str, text: str) -> None:
    assert kind in find_personal_data(text)


@pytest.mark.parametrize("text", NOTHING)
def test_days_amounts_and_other_numbers_are_none(text: str) -> None:
    assert find_personal_data(text) == []


@pytest.mark.parametrize("text", ["王小明反映漏水", "王 小 明", "王\u200b小明", "王·小·明", "联系人：王小明。"])
def test_names_of_the_parties_are_found(text: str) -> None:
    assert find_personal_data(text, ["王小明"]) == [NAME]


@pytest.mark.parametrize(
    ("text", "name"), [("王某反映", "王小明"), ("业主反映", "业主"), ("李反映", "李"), ("小明王", "王小明")]
)
def test_words_that_name_nobody_are_none(text: str, name: str) -> None:
    assert find_personal_data(text, [name]) == []


@pytest.mark.parametrize("text", ["1-" * 10_000, "1" * 20_000, "13---" * 4_000, "2024-" * 4_000, "一 " * 10_000])
def test_a_long_text_is_read_too(text: str) -> None:
    assert find_personal_data(text + "，13800001234，") != []
