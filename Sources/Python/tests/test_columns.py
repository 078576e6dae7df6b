"""Which column of a shard is which field, and what several contracts give together."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import ingest, sluice, vkey

import sluice as package
from sluice import Damaged, Dataset, UnreadableData, UsageError
from sluice._contract import Column
from sluice._rows import EarlierLabels, Form, rows

UTC = dt.timezone.utc


def contract(*fields: str, sluice: str = "", top: str = "") -> str:
    listed = "".join(f"  - {{ {field} }}\n" for field in fields)
    return f"{top}fields:\n{listed}sluice: {{ undeclaredPii: allow, secrets: allow, batch: {{ minRows: 1 }}{', ' if sluice else ''}{sluice} }}\n"


def opened(store: Path, **more: Any) -> Dataset:
    return package.open(store, "data", **{"vkey": vkey(store), "reason": "test", **more})


def same(dataset: Dataset, tmp_path: Path | None = None) -> list[dict[str, Any]]:
    """The rows, by all ways."""
    found = list(dataset)
    assert dataset.to_arrow().to_pylist() == found
    assert pa.Table.from_batches(dataset.batches()).to_pylist() == found
    if tmp_path is not None:
        import pyarrow.parquet as pq

        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        dataset.to_parquet(path)
        assert pq.read_table(path).to_pylist() == found
    return found


DROPPED = "pii: { entity: PERSON, operator: drop }"


@pytest.mark.parametrize(
    ("fields", "more", "top", "text", "expected"),
    [
        (
            ("name: id, type: integer, sluice: { column: 1 }", f"name: s, sluice: {{ column: 2, {DROPPED} }}",
             "name: t, type: integer, sluice: { column: 3 }", "name: u, type: integer, sluice: { column: 4 }"),
            "", "", "c1,c2,c3,c4\n1,x,30,40\n", {"id": 1, "t": 30, "u": 40},
        ),
        (
            ("name: id, type: integer, sluice: { column: 1 }", "name: t, type: integer, sluice: { column: 3 }",
             "name: u, type: integer, sluice: { column: 4 }"),
            "unknownFields: drop", "", "c1,c2,c3,c4\n1,20,30,40\n", {"id": 1, "t": 30, "u": 40},
        ),
        (
            ("name: id, type: integer, sluice: { column: 1 }", f"name: s, sluice: {{ column: 2, {DROPPED} }}",
             "name: t, type: integer, sluice: { column: 3 }"),
            "", "", "c1,,c3\n1,x,30\n", {"id": 1, "t": 30},
        ),
        (
            (f"name: x, sluice: {{ column: 1, {DROPPED} }}", "name: t, type: integer, sluice: { column: 2 }",
             "name: u, type: integer, sluice: { column: 3 }"),
            "", "", "x,x,x\n1,20,30\n", {"t": 20, "u": 30},
        ),
        (
            ("name: id, type: integer", "name: amount, type: integer"), "", "fieldsMatch: [subset]\n",
            "id,Amount,amount,AMOUNT \n1,5,6,x\n", {"id": 1, "Amount": "5", "amount": 6, "AMOUNT ": "x"},
        ),
        (("name: id, type: integer",), "", "fieldsMatch: [subset]\n", "id,Id\n1,5\n", {"id": 1, "Id": "5"}),
        (
            ("name: straße, type: integer",), "dialect: { caseSensitiveHeader: false }", "fieldsMatch: [subset]\n",
            "Straße,STRASSE\n5,9\n", {"straße": 5, "STRASSE": "9"},
        ),
        (
            # By position, while another column has the field's name.
            ("name: id, type: integer, sluice: { column: 2 }",), "", "fieldsMatch: [subset]\n",
            "a,b,id\n1,2,3\n", {"a": "1", "id": 2, "id 2": "3"},
        ),
    ],
)  # fmt: skip
def test_fields_are_those_of_the_gate(
    made: Callable[..., Path], tmp_path: Path, fields: tuple[str, ...], more: str, top: str, text: str, expected: dict[str, Any]
) -> None:
    assert same(opened(made(contract(*fields, sluice=more, top=top), text)), tmp_path) == [expected]


def test_context_and_header_must_agree() -> None:
    document = {"fields": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    form = Form.of({"media-type": "text/csv", "csv-fields": "1+2,-1,0+1"}, document)
    assert form.named(["x", "y", "c", "z"], []) == ["b", "c", "c 2", "a"]
    with pytest.raises(Damaged, match="3 columns"):
        form.named(["x", "y", "z"], [])
    with pytest.raises(Damaged, match="does not have"):
        Form.of({"media-type": "text/csv", "csv-fields": "2+2"}, document)


def test_shards_of_earlier_versions() -> None:
    def named(document: dict[str, Any], *labels: str) -> list[str]:
        columns = [Column(one["name"], place=one.get("sluice", {}).get("column", 0)) for one in document["fields"]]
        return EarlierLabels.of(document).named(list(labels), columns, ",")

    assert named({"fields": [{"name": "id"}]}, "id", "Id") == ["id", "Id"]
    folded = {"fields": [{"name": "id"}], "sluice": {"dialect": {"caseSensitiveHeader": False}}}
    assert named(folded, "ID", "Id") == ["id", "Id"]
    positions = {"fields": [{"name": "a", "sluice": {"column": 1}}, {"name": "c", "sluice": {"column": 3}}]}
    assert named({**positions, "sluice": {"dropColumns": [2]}}, "x", "y") == ["a", "c"]
    with pytest.raises(UnreadableData, match="by position"):
        named({**positions, "sluice": {"unknownFields": "drop"}}, "x", "y")


def grown(tmp_path: Path, *parts: tuple[str, str]) -> Path:
    """A store of one dataset with a contract for each batch."""
    store = tmp_path / "grown"
    sluice("init", store)
    for number, (text, data) in enumerate(parts):
        schema, file = tmp_path / f"{number}.yaml", tmp_path / f"{number}.csv"
        schema.write_text(text)
        file.write_text(data)
        ingest(store, file, "data", schema)
    return store


def test_a_column_that_one_contract_does_not_declare(tmp_path: Path) -> None:
    store = grown(
        tmp_path,
        (contract("name: id, type: integer", top="fieldsMatch: [subset]\n"), "id,n\n1,5\n"),
        (contract("name: id, type: integer", "name: n, type: integer"), "id,n\n2,7\n"),
    )
    assert same(opened(store), tmp_path) == [{"id": 1, "n": 5}, {"id": 2, "n": 7}]


def test_values_of_an_undeclared_column_stay_out_of_errors(tmp_path: Path) -> None:
    store = grown(
        tmp_path,
        (contract("name: id, type: integer", top="fieldsMatch: [subset]\n"), "id,n\n1,SECRET\n"),
        (contract("name: id, type: integer", "name: n, type: integer"), "id,n\n2,7\n"),
    )
    for read in (list, Dataset.to_arrow, lambda dataset: dataset.to_parquet(tmp_path / "out.parquet")):
        with pytest.raises(UnreadableData, match="shard row 1, column n") as raised:
            read(opened(store))
        assert "SECRET" not in str(raised.value)
        # Nor in an error that a reporter would find behind it.
        assert raised.value.__context__ is None and raised.value.__cause__ is None
    assert not (tmp_path / "out.parquet").exists()
    assert same(opened(store, types={"n": "string"}), tmp_path)[0]["n"] == "SECRET"


@pytest.mark.parametrize(
    ("first", "second", "texts"),
    [
        ("type: integer", "type: string", ("1", "x")),
        ("type: datetime, format: '%d.%m.%Y %H:%M'", "type: datetime", ("31.01.2026 09:30", "2026-01-31T10:00:00Z")),
        ("type: list, itemType: integer", "type: list", ('"1,2"', '"a,b"')),
    ],
)
def test_types_that_do_not_go_together(tmp_path: Path, first: str, second: str, texts: tuple[str, str]) -> None:
    store = grown(
        tmp_path,
        (contract(f"name: n, {first}"), f"n\n{texts[0]}\n"),
        (contract(f"name: n, {second}"), f"n\n{texts[1]}\n"),
    )
    with pytest.raises(UsageError, match="column n is .* in some batches and .* in others") as raised:
        opened(store)
    # What the message advises works.
    assert 'types={"n": "string"}' in str(raised.value)
    assert [row["n"] for row in same(opened(store, types={"n": "string"}), tmp_path)] == [text.strip('"') for text in texts]


def test_missing_of_undeclared_columns(made: Callable[..., Path], tmp_path: Path) -> None:
    text = contract("name: a", top="fieldsMatch: [subset]\nmissingValues: [NA]\n")
    found = same(opened(made(text, "a,c\nx,x\ny,\nz,NA\nNA,w\n")), tmp_path)
    assert [row["c"] for row in found] == ["x", None, "NA", "w"] and found[3]["a"] is None


def test_times_keep_their_zone(made: Callable[..., Path]) -> None:
    dataset = opened(made(contract("name: t, type: time"), "t\n10:00:00\n10:00:00+02:00\n"))
    assert [row["t"].utcoffset() for row in dataset] == [None, dt.timedelta(hours=2)]
    with pytest.raises(UnreadableData, match="shard row 2, column t"):
        dataset.to_arrow()
    assert same(opened(dataset.store, types={"t": "string"}))[1]["t"] == "10:00:00+02:00"


def test_numbers_that_a_float_does_not_hold() -> None:
    column = Column("n", "number")
    for text in ("1e400", "-1e400"):
        with pytest.raises(ValueError):
            column.value(text)
        with pytest.raises(ValueError):
            column.json_value(float(text))
    assert math.isinf(column.value("INF")) and column.value("1e308") == 1e308
    whole = Column("i", "integer")
    assert whole.value("9" * 5000) == 10**5000 - 1 and whole.value("-" + "9" * 5000) == 1 - 10**5000
    for text in ("x" * 5000, "1e" + "1" * 5000):
        with pytest.raises(ValueError):
            whole.value(text)


def test_numbers_too_large_in_tables(made: Callable[..., Path]) -> None:
    dataset = opened(made(contract("name: n, type: number"), "n\n1.5\n1e400\n"))
    for read in (list, Dataset.to_arrow):
        with pytest.raises(UnreadableData, match="shard row 2, column n"):
            read(dataset)
    grouped = contract("name: n, type: integer, groupChar: \"'\"")
    with pytest.raises(UnreadableData, match="shard row 1, column n"):
        opened(made(grouped, f"n\n{1 << 70}\n1'000\n", "other.csv"), since=dataset.checkpoint["size"]).to_arrow()


def test_long_integers_in_json() -> None:
    line = b'{"a":1,"b":' + b"9" * 5000 + b"}\n"
    found = list(rows(memoryview(line), Form(is_csv=False), [Column("a", "integer")], "batch"))
    assert found == [{"a": 1, "b": 10**5000 - 1}]
    with pytest.raises(Damaged):
        list(rows(memoryview(b'{"a":' + b"9" * 5000 + b"x}"), Form(is_csv=False), [], "batch"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31t10:00:00z", dt.datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T24:00:00Z", dt.datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-12-31T24:00:00+01:00", dt.datetime(2026, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_notations_of_instants(made: Callable[..., Path], text: str, expected: dt.datetime) -> None:
    dataset = opened(made(contract("name: at, type: datetime"), f"at\n{text}\n"))
    assert same(dataset) == [{"at": expected}]


def test_undeclared_columns_in_parquet(made: Callable[..., Path], tmp_path: Path) -> None:
    text = contract("name: id, type: integer", top="fieldsMatch: [subset]\n")
    dataset = opened(made(text, "id,n\n1,x\n"))
    assert same(dataset, tmp_path) == [{"id": 1, "n": "x"}]
    assert same(opened(dataset.store, types={"n": "string"}), tmp_path)
    with pytest.raises(UnreadableData, match="column n"):
        list(opened(dataset.store, types={"n": "integer"}))
    made(text, "id,m\n2,y\n", "other.csv")
    assert opened(dataset.store).to_arrow().to_pylist() == [{"id": 1, "n": "x", "m": None}, {"id": 2, "n": None, "m": "y"}]
    with pytest.raises(UsageError, match="column m"):
        list(opened(dataset.store).batches())


def test_an_empty_selection_has_columns(store: Path) -> None:
    size = package.open(store, "orders", vkey=vkey(store), reason="test").checkpoint["size"]
    none = package.open(store, "orders", vkey=vkey(store), reason="test", since=size, types={"amount": "string"})
    assert list(none) == [] and none.to_arrow().schema.field("amount").type == pa.string()
    assert none.to_arrow().schema.field("quantity").type == pa.int64()
