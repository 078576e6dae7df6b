"""AWS Encryption SDK messages, format 2.0, suite 0x0478 (AES-256-GCM with key commitment), opened with `cryptography` alone.

Format: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ._errors import Damaged

_SUITE = b"\x04\x78"
_FRAME, _FINAL = b"AWSKMSEncryptionClient Frame", b"AWSKMSEncryptionClient Final Frame"
_LAST = 0xFFFFFFFF
_TRAILER = struct.pack(">II", 128, 12)
_OWN = b"ingest"


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, hashlib.sha512)


def derived(data_key: bytes, message_id: bytes) -> tuple[bytes, bytes]:
    """The body's key and the commitment, 32 bytes each (HKDF-SHA-512 with the message id as salt)."""
    secret = _hmac(message_id, data_key)
    return _hmac(secret, _SUITE + b"DERIVEKEY\x01")[:32], _hmac(secret, b"COMMITKEY\x01")[:32]


@dataclass(frozen=True)
class Recipient:
    """A wrapped data key: who can unwrap it."""

    provider: bytes
    info: bytes
    wrapped: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """The name of the wrapping key."""
        own = self.provider == _OWN and self.info[-20:-12] == _TRAILER
        return (self.info[:-20] if own else self.info).decode("utf-8", "replace")


class Header:
    """The header of a message. Nothing of it is proven before `plaintext` has returned."""

    def __init__(self, raw: bytes, where: str) -> None:
        self.where = where
        try:
            self._read(raw)
        except (struct.error, IndexError, UnicodeDecodeError):
            raise Damaged(f"{where}: its header is cut off or malformed") from None

    def _read(self, raw: bytes) -> None:
        if raw[:3] != b"\x02" + _SUITE:
            raise Damaged(f"{self.where}: it is no message of suite 0x0478, format 2.0")
        self.message_id = raw[3:35]
        at = 35

        def counted() -> bytes:
            nonlocal at
            (count,) = struct.unpack_from(">H", raw, at)
            at += 2 + count
            if at > len(raw):
                raise IndexError
            return raw[at - count : at]

        (length,) = struct.unpack_from(">H", raw, at)
        self.context_bytes = raw[at + 2 : at + 2 + length]
        self.context: dict[str, str] = {}
        if length:
            end = at + 2 + length
            (pairs,) = struct.unpack_from(">H", raw, at + 2)
            at += 4
            for _ in range(pairs):
                key = counted().decode()
                self.context[key] = counted().decode()
            if at != end or len(self.context) != pairs:
                raise IndexError
        else:
            at += 2
        (recipients,) = struct.unpack_from(">H", raw, at)
        at += 2
        if not 1 <= recipients <= 16:
            raise IndexError
        self.recipients = [Recipient(counted(), counted(), counted()) for _ in range(recipients)]
        if raw[at] != 2:
            raise Damaged(f"{self.where}: its body is not in frames")
        (self.frame_length,) = struct.unpack_from(">I", raw, at + 1)
        self.commitment = raw[at + 5 : at + 37]
        self.signed = raw[: at + 37]
        self.tag = raw[at + 37 : at + 53]
        self.end = at + 53
        if self.end > len(raw) or not 0 < self.frame_length <= 1 << 31:
            raise IndexError


def unwrapped(header: Header, keys: Mapping[str, bytes]) -> bytes | None:
    """The data key, unwrapped with AES keys by name; None when none of them opens it."""
    for one in header.recipients:
        if one.provider != _OWN or one.info[-20:-12] != _TRAILER or one.name not in keys:
            continue
        try:
            return AESGCM(keys[one.name]).decrypt(one.info[-12:], one.wrapped, header.context_bytes)
        except InvalidTag:
            continue
    return None


def plaintext(raw: bytes, header: Header, data_key: bytes) -> memoryview:
    """The whole plaintext. It returns only when header, order and end of the message have proven to be authentic.

    Raises `Damaged` for anything else.
    """
    key, commitment = derived(data_key, header.message_id)
    if not hmac.compare_digest(commitment, header.commitment):
        raise Damaged(f"{header.where}: the data key is not the one that it commits to")
    cipher = AESGCM(key)
    try:
        cipher.decrypt(bytes(12), header.tag, header.signed)
    except InvalidTag:
        raise Damaged(f"{header.where}: its header was changed") from None
    source, at, number, size = memoryview(raw), header.end, 1, header.frame_length
    # Each frame has 32 bytes beside its content: the buffer has room for all of it, and is never moved.
    buffer = bytearray(max(0, len(raw) - header.end))
    out, length = memoryview(buffer), 0
    try:
        while True:
            (sequence,) = struct.unpack_from(">I", source, at)
            is_last = sequence == _LAST
            count, at = size, at + 4
            if is_last:
                (sequence,) = struct.unpack_from(">I", source, at)
                (count,) = struct.unpack_from(">I", source, at + 16)
                at += 4
            iv = source[at : at + 12]
            at += 16 if is_last else 12
            if sequence != number or count > size or at + count + 16 > len(raw):
                raise Damaged(f"{header.where}: frame {number} was changed, or is missing")
            content = struct.pack(">IQ", sequence, count)
            aad = header.message_id + (_FINAL if is_last else _FRAME) + content
            cipher.decrypt_into(iv, source[at : at + count + 16], aad, out[length : length + count])
            at += count + 16
            length += count
            number += 1
            if is_last:
                break
    except InvalidTag:
        raise Damaged(f"{header.where}: frame {number} was changed") from None
    except struct.error:
        raise Damaged(f"{header.where}: it ends before its last frame") from None
    if at != len(raw):
        raise Damaged(f"{header.where}: bytes follow its last frame")
    return out[:length]
