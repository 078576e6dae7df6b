"""Shards as Arrow tables."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from ._contract import Column, unfit
from ._errors import Damaged, MissingPackage
from ._rows import Form, header, rows

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.json
except ImportError:
    raise MissingPackage("Arrow tables need pyarrow: pip install 'sluice-data[arrow]'") from None

_ISO = ("default", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S")


def arrow_type(column: Column) -> Any:
    """The Arrow type of a column. Times are in microseconds; JSON is text."""
    match column.kind:
        case "integer":
            return pa.int64()
        case "number":
            return pa.float64()
        case "boolean":
            return pa.bool_()
        case "date":
            return pa.date32()
        case "datetime":
            return pa.timestamp("us", "UTC" if column.has_zone else None)
        case "time":
            return pa.time64("us")
        case "list":
            return pa.list_(arrow_type(Column("", column.item)))
        case _:
            return pa.string()


def schema(columns: list[Column]) -> Any:
    """The Arrow schema of declared columns."""
    return pa.schema([(column.name, arrow_type(column)) for column in columns])


def table(plain: memoryview, form: Form, columns: list[Column], batch: str, count: int) -> Any:
    """The table of a shard of `count` rows; declared columns have their types, others of CSV are text.

    Raises:
        UnreadableData: a value does not fit; the message names row and column.
    """
    made = None
    # The fast readers are stricter than the contract in places; the values decide, one by one. Their errors have values, so they are gone
    # before anything else can be raised.
    with contextlib.suppress(pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowTypeError, _Unsure):
        made = _csv_table(plain, form, columns, count) if form.is_csv else _json_table(plain, columns)
    if made is None:
        made = _slow_table(plain, form, columns, batch)
    for column in columns:
        if column.name not in made.column_names:
            made = made.append_column(column.name, pa.nulls(made.num_rows, arrow_type(column)))
    declared = [column.name for column in columns]
    return made.select(declared + [name for name in made.column_names if name not in set(declared)])


def fitted(made: Any, wanted: Any) -> Any:
    """The table with the columns of a schema, in its order; those that it does not have are null."""
    for field in wanted:
        if field.name not in made.column_names:
            made = made.append_column(field, pa.nulls(made.num_rows, field.type))
    return made.select(wanted.names)


class _Unsure(Exception):
    """The fast readers might understand a value otherwise than the contract."""


def _csv_table(plain: memoryview, form: Form, columns: list[Column], count: int) -> Any:
    missing = {column.missing for column in columns} or {("",)}
    if len(missing) != 1:
        raise _Unsure
    nulls = list(next(iter(missing)))
    names = form.named(header(plain, form), columns)
    is_mixed = nulls != [""] and not {column.name for column in columns}.issuperset(names)
    if len(set(names)) != len(names) or is_mixed:
        # Of columns that are not declared only an empty cell is missing.
        raise _Unsure
    # With one line end a row no value has one, and the blocks are read in parallel.
    has_long_rows = bytes(plain).count(b"\n") != count + 1
    types: dict[str, Any] = dict.fromkeys(names, pa.string())
    types |= {column.name: arrow_type(column) for column in columns if _is_direct(column)}
    read = pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(plain)),
        read_options=pyarrow.csv.ReadOptions(
            column_names=names, skip_rows_after_names=1, block_size=4 << 20
        ),
        parse_options=pyarrow.csv.ParseOptions(delimiter=form.delimiter, newlines_in_values=has_long_rows),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=types,
            null_values=nulls,
            true_values=["true", "True", "TRUE", "1"],
            false_values=["false", "False", "FALSE", "0"],
            strings_can_be_null=True,
            timestamp_parsers=[pyarrow.csv.ISO8601],
        ),
    )
    return _converted(read, columns)


def _is_direct(column: Column) -> bool:
    """Whether the CSV reader converts texts as the contract means them."""
    return column.kind in ("string", "json") or column.is_plain and column.kind in ("integer", "number", "boolean", "date")


def _converted(read: Any, columns: list[Column]) -> Any:
    for column in columns:
        place = read.schema.get_field_index(column.name)
        wanted = arrow_type(column)
        if place >= 0 and pa.types.is_floating(read.schema.field(place).type) and pc.any(pc.is_inf(read.column(place))).as_py():
            # Infinite as it was written, or too large for a float.
            raise _Unsure
        if place < 0 or read.schema.field(place).type == wanted:
            continue
        read = read.set_column(place, pa.field(column.name, wanted), _converted_column(read.column(place), column, wanted))
    return read


def _converted_column(values: Any, column: Column, wanted: Any) -> Any:
    if pa.types.is_null(values.type):
        return values.cast(wanted)
    if not pa.types.is_string(values.type):
        raise _Unsure
    if column.kind == "datetime" and column.format in _ISO:
        # All with a zone, or all without one, which then is UTC.
        for text_type in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
            try:
                read = pc.cast(values, text_type)
            except pa.ArrowInvalid:
                continue
            if read.type == wanted:
                return read
            if wanted.tz:
                return pc.assume_timezone(read, "UTC")
        raise _Unsure
    # Each distinct text is read once.
    encoded = values.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    try:
        distinct = [None if text is None else column.value(text) for text in encoded.dictionary.to_pylist()]
        if column.kind == "time" and any(value is not None and value.tzinfo for value in distinct):
            raise _Unsure
        return pa.array(distinct, wanted).take(encoded.indices)
    except (ValueError, OverflowError, pa.ArrowTypeError):
        raise _Unsure from None


def _json_table(plain: memoryview, columns: list[Column]) -> Any:
    if not columns or any(column.path or column.kind in ("json", "list") for column in columns):
        raise _Unsure
    if any(column.missing not in ((), ("",)) or not column.is_plain and column.kind != "datetime" for column in columns):
        raise _Unsure
    text = {"string", "date", "datetime", "time"}
    explicit = pa.schema(
        [(column.name, pa.string() if column.kind in text else arrow_type(column)) for column in columns]
    )
    read = pyarrow.json.read_json(
        pa.BufferReader(pa.py_buffer(plain)),
        read_options=pyarrow.json.ReadOptions(block_size=16 << 20),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=explicit, unexpected_field_behavior="error"),
    )
    for place, column in enumerate(columns):
        if column.kind in text and "" in column.missing:
            values = read.column(place)
            empty = pc.equal(values, "")
            if pc.any(empty).as_py():
                read = read.set_column(place, column.name, pc.if_else(empty, pa.scalar(None, pa.string()), values))
    return _converted(read, columns)


def _slow_table(plain: memoryview, form: Form, columns: list[Column], batch: str) -> Any:
    all_rows = list(rows(plain, form, columns, batch))
    declared = {column.name: column for column in columns}
    names = dict.fromkeys(declared)
    for row in all_rows:
        names.update(dict.fromkeys(row))
    arrays, fields = list[Any](), list[Any]()
    for name in names:
        column = declared.get(name, Column(name))
        values = [row.get(name) for row in all_rows]
        if column.kind == "json":
            values = [None if value is None else _json(value) for value in values]
        elif name not in declared:
            values = [value if value is None or isinstance(value, str) else _json(value) for value in values]
        wanted = arrow_type(column)
        if column.kind == "time":
            # Arrow's times have no zone, and to leave it out would change them.
            for number, value in enumerate(values, 1):
                if value is not None and value.tzinfo is not None:
                    raise unfit(column, batch, number)
        with contextlib.suppress(pa.ArrowInvalid, OverflowError, pa.ArrowTypeError):
            arrays.append(pa.array(values, wanted))
        if len(arrays) == len(fields):
            raise unfit(column, batch, _first_unfit(values, wanted))
        fields.append(pa.field(name, wanted))
    if not names:
        raise Damaged(f"batch {batch}: its shard has no column")
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _first_unfit(values: list[Any], wanted: Any) -> int:
    for number, value in enumerate(values, 1):
        try:
            pa.array([value], wanted)
        except (pa.ArrowInvalid, OverflowError, pa.ArrowTypeError):
            return number
    return 0
