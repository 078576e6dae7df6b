"""Notations of values: the fast readers and the exact one give the same, and what does not fit is an error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import vkey

import sluice as package
from sluice import Damaged, Dataset, UnreadableData, UsageError
from sluice._contract import Column, columns, merged
from sluice._rows import Form, rows

UTC = dt.timezone.utc
HEAD = "sluice: { undeclaredPii: allow, secrets: allow, batch: { minRows: 1 } }\n"


def opened(store: Path, **more: Any) -> Dataset:
    return package.open(store, "data", **{"vkey": vkey(store), "reason": "test", **more})


def same(dataset: Dataset) -> list[dict[str, Any]]:
    """The rows, by both ways."""
    found = list(dataset)
    assert dataset.to_arrow().to_pylist() == found
    return found


def test_csv(made: Callable[..., Path]) -> None:
    contract = """
fields:
  - { name: i, type: integer }
  - { name: big, type: integer, groupChar: "'" }
  - { name: n, type: number }
  - { name: price, type: number, decimalChar: ",", groupChar: ".", bareNumber: false }
  - { name: b, type: boolean }
  - { name: yes, type: boolean, trueValues: [ja], falseValues: [nein] }
  - { name: d, type: date }
  - { name: german, type: date, format: "%d.%m.%Y" }
  - { name: t, type: time }
  - { name: at, type: datetime }
  - { name: local, type: datetime, format: "%d.%m.%Y %H:%M" }
  - { name: y, type: year }
  - { name: l, type: list, itemType: integer, delimiter: "|" }
  - { name: s, type: string, missingValues: ["", "n/a"] }
""" + HEAD.replace("sluice: {", 'sluice: { dialect: { delimiter: ";" },')
    text = (
        "i;big;n;price;b;yes;d;german;t;at;local;y;l;s\n"
        "1;1'000'000;1.5;€ 1.234,56;true;ja;2026-01-31;31.01.2026;10:11:12;2026-01-31T10:00:00Z;31.01.2026 09:30;2026;1|2;\"a;b\nc\"\n"
        "-7;12;1e3;0,5 €;0;nein;2024-02-29;01.02.2024;23:59:59.5;2026-01-31T10:00:00+02:00;01.02.2024 00:00;1999;3;n/a\n"
        ";;;;;;;;;;;;;x\n"
    )
    found = same(opened(made(contract, text)))
    assert found[0] == {
        "i": 1, "big": 1_000_000, "n": 1.5, "price": 1234.56, "b": True, "yes": True, "d": dt.date(2026, 1, 31),
        "german": dt.date(2026, 1, 31), "t": dt.time(10, 11, 12), "at": dt.datetime(2026, 1, 31, 10, tzinfo=UTC),
        "local": dt.datetime(2026, 1, 31, 9, 30), "y": 2026, "l": [1, 2], "s": "a;b\nc",
    }  # fmt: skip
    assert found[1]["price"] == 0.5 and found[1]["b"] is False and found[1]["yes"] is False and found[1]["s"] is None
    assert found[1]["at"] == dt.datetime(2026, 1, 31, 8, tzinfo=UTC) and found[1]["t"] == dt.time(23, 59, 59, 500_000)
    assert all(value is None for name, value in found[2].items() if name != "s")


def test_json(made: Callable[..., Path]) -> None:
    contract = """
fields:
  - { name: id, type: integer }
  - { name: n, type: number }
  - { name: s, type: string }
  - { name: at, type: datetime }
  - { name: o, type: object }
  - { name: city, type: string, sluice: { path: /address/city } }
""" + HEAD.replace("sluice: {", "sluice: { unknownFields: keep,")
    text = (
        '{"id":1,"n":2,"s":"x","at":"2026-01-31T10:00:00Z","o":{"a":[1,2]},"address":{"city":"Bern"},"more":[1]}\n'
        '{"id":2.0,"n":null,"s":"","at":null,"address":{}}\n'
    )
    found = list(opened(made(contract, text, "data.jsonl")))
    assert found[0]["o"] == {"a": [1, 2]} and found[0]["city"] == "Bern" and found[0]["more"] == [1] and found[0]["n"] == 2.0
    assert found[1]["id"] == 2 and found[1]["s"] is None and found[1]["city"] is None
    table = opened(made(contract, text, "data.jsonl")).to_arrow()
    assert table.column("o").to_pylist() == ['{"a":[1,2]}', None] and table.column("more").to_pylist() == ["[1]", None]


def test_header_and_labels(made: Callable[..., Path]) -> None:
    contract = "fields:\n  - { name: a, type: integer }\n  - { name: b, type: string }\n" + HEAD.replace(
        "sluice: {", "sluice: { dialect: { header: false },"
    )
    assert same(opened(made(contract, "1,x\n2,007\n"))) == [{"a": 1, "b": "x"}, {"a": 2, "b": "007"}]


def test_labels_are_those_of_the_gate(made: Callable[..., Path]) -> None:
    contract = (
        "fields:\n  - { name: id, type: integer }\n  - { name: place, type: string, sluice: { column: 3 } }\n"
        + HEAD.replace("sluice: {", "sluice: { dialect: { caseSensitiveHeader: false }, unknownFields: keep, trimLabels: true,")
    )
    found = same(opened(made(contract, "ID , x,x,\n1,2,Bern,q\n")))
    assert found[0]["id"] == 1 and found[0]["place"] == "Bern"


def test_another_delimiter_is_not_taken_for_one_column() -> None:
    form, columns_ = Form(is_csv=True, delimiter=","), [Column("a"), Column("b")]
    with pytest.raises(Damaged, match="csv-delimiter"):
        list(rows(memoryview(b"a;b\n1;2\n"), form, columns_, "batch"))
    assert list(rows(memoryview(b"a;b\n1;2\n"), Form(True, ";"), columns_, "batch")) == [{"a": "1", "b": "2"}]


def test_numbers_beyond_64_bits(made: Callable[..., Path]) -> None:
    contract = "fields:\n  - { name: a, type: integer }\n" + HEAD
    dataset = opened(made(contract, f"a\n1\n{1 << 70}\n"))
    assert [row["a"] for row in dataset] == [1, 1 << 70]
    with pytest.raises(UnreadableData, match="row 2, column a") as raised:
        dataset.to_arrow()
    assert str(1 << 70) not in str(raised.value)
    assert same(opened(dataset.store, types={"a": "string"}))[1] == {"a": str(1 << 70)}


def test_contracts_together() -> None:
    a = [Column("x", "integer"), Column("y")]
    assert merged([a, [Column("x", "number")]])[0].kind == "number"
    assert merged([a, [Column("x", is_masked=True)]])[0].is_masked
    with pytest.raises(UsageError, match="column x"):
        merged([a, [Column("x", "date")]])
    dropped = {"fields": [{"name": "a", "type": "string", "sluice": {"pii": {"operator": "drop"}}}, {"name": "b", "type": "date"}]}
    assert [(one.name, one.kind) for one in columns(dropped)] == [("b", "date")]
    assert columns(dropped, ["b"])[0].kind == "string"
