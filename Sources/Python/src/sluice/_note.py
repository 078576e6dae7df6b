"""Merkle trees (RFC 6962) and signed checkpoints (C2SP signed-note, tlog-checkpoint, tlog-proof)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ._errors import Damaged, UsageError

_DASH = b"\xe2\x80\x94 "


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of the parts, one after the other: 32 bytes."""
    return hashlib.sha256(b"".join(parts)).digest()


class Frontier:
    """The root of a growing RFC 6962 tree: the roots of its complete subtrees, the largest first."""

    __slots__ = ("size", "subtrees")

    def __init__(self, size: int = 0, subtrees: list[bytes] | None = None) -> None:
        self.size = size
        self.subtrees: list[bytes] = subtrees or []

    def add(self, leaf: bytes) -> None:
        """Appends a leaf hash."""
        size, subtrees, sha = self.size, self.subtrees, hashlib.sha256
        while size & 1:
            leaf = sha(b"\x01" + subtrees.pop() + leaf).digest()
            size >>= 1
        subtrees.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root hash, 32 bytes; that of the empty tree before the first leaf."""
        if not self.subtrees:
            return hashlib.sha256(b"").digest()
        root = self.subtrees[-1]
        for left in reversed(self.subtrees[:-1]):
            root = sha256(b"\x01", left, root)
        return root


@dataclass(frozen=True)
class Checkpoint:
    """A signed state of a ledger: its name, the number of its entries, and the root over them."""

    origin: str
    size: int
    root: bytes
    text: str


class VerifierKey:
    """An Ed25519 verifier key in the form `name+id+base64` of C2SP signed-note, as `sluice keys list` prints it."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        try:
            self.name, self.key_id, encoded = self.text.split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise UsageError(f"vkey {self.text!r}: it is no verifier key; sluice keys list prints it") from None
        if len(raw) != 33 or raw[0] != 1 or sha256(self.name.encode(), b"\n", raw)[:4].hex() != self.key_id:
            raise UsageError(f"vkey {self.text!r}: its id does not fit its key; copy it again from sluice keys list")
        self._id = bytes.fromhex(self.key_id)
        self._key = Ed25519PublicKey.from_public_bytes(raw[1:])
        self._begin = _DASH + self.name.encode() + b" "

    def __reduce__(self) -> tuple[type[VerifierKey], tuple[str]]:
        return VerifierKey, (self.text,)

    def opened(self, note: bytes, where: str) -> Checkpoint:
        """The checkpoint of a note. Raises `Damaged` unless this key signed it for a ledger of its own name."""
        checkpoint = parsed(note, where)
        end = note.rindex(b"\n\n") + 1
        for line in note[end + 1 :].split(b"\n"):
            if not line.startswith(self._begin):
                continue
            try:
                signature = base64.b64decode(line[len(self._begin) :], validate=True)
            except binascii.Error:
                continue
            if signature[:4] != self._id or len(signature) != 68:
                continue
            try:
                self._key.verify(signature[4:], note[:end])
            except InvalidSignature:
                raise Damaged(f"{where}: its signature is wrong") from None
            if checkpoint.origin != self.name:
                raise Damaged(f"{where}: it is the checkpoint of another ledger, {checkpoint.origin}")
            return checkpoint
        raise Damaged(f"{where}: it is not signed by the pinned key {self.name}+{self.key_id}")


def parsed(note: bytes, where: str) -> Checkpoint:
    """Reads a checkpoint without checking its signature."""
    try:
        text = note[: note.rindex(b"\n\n") + 1].decode()
        origin, size, root = text.split("\n")[:3]
        number, hash_ = int(size), base64.b64decode(root, validate=True)
        if number < 0 or str(number) != size or len(hash_) != 32:
            raise ValueError
    except (ValueError, binascii.Error):
        raise Damaged(f"{where}: it is no checkpoint") from None
    return Checkpoint(origin, number, hash_, text)


def note_of(document: bytes) -> bytes:
    """The checkpoint of an anchor: a checkpoint itself, or a receipt (`.tlog-proof`)."""
    if document.startswith(b"c2sp.org/tlog-proof@v1\n"):
        _, _, note = document.partition(b"\n\n")
        return note
    return document
