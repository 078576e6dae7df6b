"""Sealed messages: what was changed never opens."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from conftest import sluice

from sluice import Damaged
from sluice._access import wrapping_keys
from sluice._message import Header, plaintext, unwrapped


def opened(raw: bytes, data_key: bytes) -> bytes:
    return bytes(plaintext(raw, Header(raw, "x"), data_key))


@pytest.fixture
def message(store: Path) -> tuple[bytes, bytes, str]:
    line = json.loads(sluice("shard", "unwrap", "--dataset", "orders", "--reason", "test", "--store", store).splitlines()[0])
    return (store / line["path"]).read_bytes(), base64.b64decode(line["data_key"]), line["path"]


def test_equals_shard_cat(store: Path, message: tuple[bytes, bytes, str]) -> None:
    raw, data_key, path = message
    assert opened(raw, data_key) == sluice("shard", "cat", store / path, "--reason", "test", "--store", store).encode()


def test_wrapping_key(store: Path, message: tuple[bytes, bytes, str]) -> None:
    raw, data_key, _ = message
    header = Header(raw, "x")
    assert unwrapped(header, wrapping_keys(None, store)) == data_key
    assert unwrapped(header, {"main": bytes(32)}) is None
    assert unwrapped(header, {"other": bytes(32)}) is None


def test_every_changed_byte(message: tuple[bytes, bytes, str]) -> None:
    raw, data_key, _ = message
    header = Header(raw, "x")
    # Wrapped keys are not covered by the data key that is already known; every other byte is.
    places = [*range(0, header.end), *range(header.end, len(raw), 997), *range(len(raw) - 40, len(raw))]
    for place in places:
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(Damaged):
            opened(bytes(changed), data_key)


@pytest.mark.parametrize("count", [0, 2, 34, 36, 60, 400, 500, 512, 66000, -1, -16])
def test_cut_off(message: tuple[bytes, bytes, str], count: int) -> None:
    raw, data_key, _ = message
    with pytest.raises(Damaged):
        opened(raw[:count], data_key)


def test_order_and_end(message: tuple[bytes, bytes, str]) -> None:
    raw, data_key, _ = message
    header = Header(raw, "x")
    frame = header.frame_length + 32
    assert len(raw) > header.end + frame
    first, rest = raw[header.end : header.end + frame], raw[header.end + frame :]
    for body in (rest, first + first + rest, rest + first, first, first + rest + b"x", first + rest + rest):
        with pytest.raises(Damaged):
            opened(raw[: header.end] + body, data_key)
    with pytest.raises(Damaged):
        opened(raw, bytes(32))
