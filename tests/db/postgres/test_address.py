"""Addresses: read from a URL, written as one for SQLAlchemy, and refused where they would be misread."""

import pytest
from sqlalchemy.engine import make_url

from db.postgres.address import Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("postgresql://u:p@h/d", Address("h", 5432, "d", "u", "p")),
        ("postgres://u@h:6000/d", Address("h", 6000, "d", "u")),
        (
            "postgresql+asyncpg://u:%40%2F%3A@[::1]:6000/d?sslmode=require",
            Address("::1", 6000, "d", "u", "@/:", "require"),
        ),
        ("postgresql://u@/d?host=/run/pg%20x", Address("/run/pg x", 5432, "d", "u")),
        ("postgresql://%E4%B8%89:%E5%AF%86@h/%E5%BA%93", Address("h", 5432, "库", "三", "密")),
    ],
)
def test_address_is_read_and_means_the_same_to_sqlalchemy(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    url = make_url(address.url())
    assert (url.username, url.password) == (address.user, address.password)
    assert (url.host or url.query["host"]) == address.host
    assert url.drivername == "postgresql+asyncpg"
    assert Address.parse(address.url().replace("&port=5432", "")) == address


@pytest.mark.parametrize(
    "text",
    ["", "d", "postgresql://", "postgresql://h/d", "postgresql://u@h", "postgresql://u@h/d/e", "postgresql://u@a,b/d",
     "postgresql://u@h:99999/d", "postgresql://u@h/d?sslmode=maybe", "postgresql://u@h/d?options=-c%20role%3Dx"],
)  # fmt: skip
def test_address_that_would_be_misread_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="数据库地址"):
        Address.parse(text)
