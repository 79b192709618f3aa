"""Numbers with a check digit, and the day of birth in an ID number."""

import datetime as dt

import pytest

from db.canonical.check_digits import born_on, credit_check, id_check, is_credit_code, is_id_number, organization_check

NUMBER = "371525190001010016"


@pytest.mark.parametrize("text", ["11010519491231002X", NUMBER, "371525190001010024"])
def test_id_numbers_that_are_right(text: str) -> None:
    assert is_id_number(text)
    assert id_check(text[:17]) == text[17]


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310021",  # check digit
        "371525190002300010",  # 30 February
        "37152519000101001",
        "11010519491231002x",  # not in its canonical form
        "３７１５２５１９０００１０１００１６",
        "37152519000101001६",
    ],
)
def test_id_numbers_that_are_not(text: str) -> None:
    assert not is_id_number(text)


def test_credit_codes() -> None:
    assert is_credit_code("91371525MA3TEYT02R")
    assert credit_check("91371525MA3TEYT02") == "R"
    assert organization_check("D2143569") == "X"  # the example of GB 11714
    assert not is_credit_code("91371525MA3TEYT02P")
    assert not is_credit_code("91371525IA3TEYT02R")
    assert not is_credit_code("91371525MA3TEYT0")


def test_the_day_of_birth_follows_from_the_number() -> None:
    assert born_on("11010519491231002X") == dt.date(1949, 12, 31)
    assert born_on("371525190002300010") is None
    assert born_on("371525********0016") is None
