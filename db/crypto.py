"""Secrets at rest: ID numbers encrypted, hashed with a key for equality, and masked; hashes with a key of whatever may hold them.

Each purpose has a key of its own, derived from one secret (HKDF), so that one reveals nothing of another. Without the secret a stolen
dump holds only masks.
"""

import hashlib
import hmac
import re
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32

# The first byte of a ciphertext: the scheme that it was made with.
_VERSION = b"\x01"
_NONCE_BYTES = 12
_PLACE = b"party.id_number_cipher"
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)


class UnreadableCiphertext(Exception):
    """The ciphertext was changed, moved to another row, or made with another secret."""


class Cipher:
    """Encrypts (AES-256-GCM), decrypts and hashes (HMAC-SHA256) with keys from one secret. Its repr shows no key.

    Raises ValueError unless the secret has 32 bytes.
    """

    __slots__ = ("_aead", "_digest_key", "_request_key")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"the secret must be {SECRET_BYTES} bytes")
        self._aead = AESGCM(_derive(secret, b"sanlian id_number encryption v1"))
        self._digest_key = _derive(secret, b"sanlian id_number digest v1")
        self._request_key = _derive(secret, b"sanlian request digest v1")

    def encrypt(self, text: str, *, row_id: UUID) -> bytes:
        """Version (1 byte), nonce (12) and ciphertext with its tag (16 more than the text): valid in this row only."""
        # SECURITY: a random nonce is safe for 2^32 messages under one key; a county has fewer people by far.
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._aead.encrypt(nonce, text.encode(), _bound_to(row_id))

    def decrypt(self, data: bytes, *, row_id: UUID) -> str:
        """The text that was encrypted for this row. Raises UnreadableCiphertext."""
        if data[:1] != _VERSION:
            raise UnreadableCiphertext("unknown version")
        nonce, body = data[1 : 1 + _NONCE_BYTES], data[1 + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, body, _bound_to(row_id)).decode()
        except (InvalidTag, ValueError):
            raise UnreadableCiphertext("wrong key, wrong row or damaged") from None

    def digest(self, text: str) -> bytes:
        """32 bytes, equal for equal texts. SECURITY: keyed, for ID numbers are few enough to try the hashes of them all."""
        return hmac.digest(self._digest_key, text.encode(), hashlib.sha256)

    def request_digest(self, input: bytes) -> bytes:
        """32 bytes, equal for equal inputs of a command. SECURITY: keyed, for of an input all but an ID number may be known."""
        return hmac.digest(self._request_key, input, hashlib.sha256)


def cursor_key(secret: bytes) -> bytes:
    """The key of the marks of cursors."""
    return _derive(secret, b"sanlian cursor mark v1")


def mask_id_number(text: str) -> str:
    """The first six and the last four characters: `371525********0016`. Raises ValueError for anything else."""
    if not _ID_NUMBER.fullmatch(text):
        raise ValueError("not an ID number of eighteen characters")
    return f"{text[:6]}{'*' * 8}{text[-4:]}"


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret)


def _bound_to(row_id: UUID) -> bytes:
    # SECURITY: authenticated with the ciphertext, so that one moved to another row no longer opens.
    return _VERSION + _PLACE + b"/" + row_id.bytes
