"""ID numbers at rest: encrypted, hashed and masked."""

from uuid import UUID

import pytest

from db.crypto import Cipher, UnreadableCiphertext, mask_id_number

SECRET = bytes(range(32))
NUMBER = "371525190001010016"
ROW, OTHER_ROW = UUID(int=1), UUID(int=2)


def test_what_is_encrypted_can_be_read_in_its_row() -> None:
    cipher = Cipher(SECRET)
    assert cipher.decrypt(cipher.encrypt(NUMBER, row_id=ROW), row_id=ROW) == NUMBER


def test_another_process_with_the_same_secret_reads_it() -> None:
    assert Cipher(SECRET).decrypt(Cipher(SECRET).encrypt(NUMBER, row_id=ROW), row_id=ROW) == NUMBER


def test_a_ciphertext_is_of_no_use_in_another_row() -> None:
    cipher = Cipher(SECRET)
    with pytest.raises(UnreadableCiphertext):
        cipher.decrypt(cipher.encrypt(NUMBER, row_id=ROW), row_id=OTHER_ROW)


def test_nor_with_another_secret() -> None:
    data = Cipher(SECRET).encrypt(NUMBER, row_id=ROW)
    with pytest.raises(UnreadableCiphertext):
        Cipher(bytes(32)).decrypt(data, row_id=ROW)


@pytest.mark.parametrize("place", [0, 1, 12, 13, -1])
def test_every_byte_is_authenticated(place: int) -> None:
    cipher = Cipher(SECRET)
    data = bytearray(cipher.encrypt(NUMBER, row_id=ROW))
    data[place] ^= 1
    with pytest.raises(UnreadableCiphertext):
        cipher.decrypt(bytes(data), row_id=ROW)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01" + bytes(11), b"\x02" + bytes(46)])
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableCiphertext):
        Cipher(SECRET).decrypt(data, row_id=ROW)


def test_the_same_number_never_gives_the_same_ciphertext_and_always_the_same_hash() -> None:
    cipher = Cipher(SECRET)
    assert cipher.encrypt(NUMBER, row_id=ROW) != cipher.encrypt(NUMBER, row_id=ROW)
    assert cipher.digest(NUMBER) == Cipher(SECRET).digest(NUMBER)
    assert cipher.digest(NUMBER) != Cipher(bytes(32)).digest(NUMBER)


def test_nothing_of_the_secret_or_the_number_shows() -> None:
    cipher = Cipher(SECRET)
    assert NUMBER.encode() not in cipher.encrypt(NUMBER, row_id=ROW)
    assert SECRET.hex() not in repr(cipher)
    assert not hasattr(cipher, "__dict__")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_secret_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Cipher(bytes(length))


def test_the_mask_shows_six_and_four() -> None:
    assert mask_id_number(NUMBER) == "371525********0016"
    assert mask_id_number("11010519491231002X") == "110105********002X"


@pytest.mark.parametrize(
    "text",
    ["", "37152519000101001", "3715251900010100166", "11010519491231002x", "３７１５２５１９０００１０１００１６"],
)
def test_nothing_but_an_id_number_is_masked(text: str) -> None:
    with pytest.raises(ValueError, match="ID number"):
        mask_id_number(text)
