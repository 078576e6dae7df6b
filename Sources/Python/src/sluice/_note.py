"""Merkle trees (RFC 6962) and signed checkpoints (C2SP signed-note, tlog-checkpoint, tlog-proof)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ._errors import Damaged, UsageError

# Checks signatures, and prints how many: a key, and then for each the length of its message, the signature and the message.
_CHECKER = """
import sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
data = sys.stdin.buffer.read()
key, at, count = Ed25519PublicKey.from_public_bytes(data[:32]), 32, 0
while at < len(data):
    end = at + 68 + int.from_bytes(data[at : at + 4], "big")
    key.verify(data[at + 4 : at + 68], data[at + 68 : end])
    at, count = end, count + 1
print(count)
"""

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
        checkpoint, message, signature = self.claimed(note, where)
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise Damaged(f"{where}: its signature is wrong") from None
        return checkpoint

    def signed_all(self, claims: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether this key made every one of these signatures, as another process finds: messages and signatures.

        An Ed25519 check keeps the interpreter to itself, so that threads do not help. False also where no process can be started.
        """
        key = self._key.public_bytes_raw()
        data = b"".join(len(message).to_bytes(4, "big") + signature + message for message, signature in claims)
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-c", _CHECKER], input=key + data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
            )
        except OSError:
            return False
        return done.returncode == 0 and done.stdout == b"%d\n" % len(claims)

    def claimed(self, note: bytes, where: str) -> tuple[Checkpoint, bytes, bytes]:
        """The checkpoint of a note, and the message and signature that it claims to be this key's, unchecked."""
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
            if checkpoint.origin != self.name:
                raise Damaged(f"{where}: it is the checkpoint of another ledger, {checkpoint.origin}")
            return checkpoint, note[:end], signature[4:]
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
