"""Keys made in the process: of version 7, and in the order in which they were made."""

import datetime as dt

from db.uuid7 import Uuid7Generator, uuid7


def test_keys_are_of_version_7_and_of_now() -> None:
    key = uuid7()
    assert (key.version, key.variant) == (7, "specified in RFC 4122")
    made = dt.datetime.fromtimestamp((key.int >> 80) / 1000, dt.UTC)
    assert abs(dt.datetime.now(dt.UTC) - made) < dt.timedelta(minutes=1)


def test_each_is_later_than_the_one_before_it() -> None:
    keys = Uuid7Generator()
    made = [keys.new() for _ in range(20_000)]
    assert made == sorted(set(made))
