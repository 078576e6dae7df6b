"""The rows of a shard's plaintext, as Python values."""

from __future__ import annotations

import csv
import io
import json
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ._contract import Column, unfit
from ._errors import Damaged

csv.field_size_limit(min(sys.maxsize, (1 << 31) - 1))


@dataclass(frozen=True)
class Form:
    """How a shard is written, by its authenticated context."""

    is_csv: bool
    delimiter: str
    dropped: frozenset[int] = frozenset()
    """Positions, from 1, of columns of the source that are not in the shard."""

    @staticmethod
    def of(context: dict[str, str], contract: dict[str, Any]) -> Form:
        """CSV is RFC 4180 with a header; the context says where the delimiter is another.

        Shards from before the context said so have the delimiter of the contract's dialect.
        """
        dialect = contract.get("sluice", {}).get("dialect", {})
        is_verbatim = not set(dialect) - {"delimiter"}
        before = dialect.get("delimiter", ",") if is_verbatim else ","
        return Form(
            is_csv=context.get("media-type") == "text/csv",
            delimiter=context.get("csv-delimiter", before),
            dropped=frozenset(contract.get("sluice", {}).get("dropColumns", [])),
        )

    def named(self, labels: list[str], columns: list[Column]) -> list[str]:
        """The columns' names for the labels of a header, as the gate names them: by position where the contract says so, by label, and by
        a label that differs in case, spaces or Unicode form only. Blank and repeated labels are named by position and number."""
        by_place = {column.place: column.name for column in columns if column.place}
        by_label = {column.name: column.name for column in columns}
        by_likeness = {_likeness(column.name): column.name for column in columns}
        names, count, place = [], dict[str, int](), 0
        for label in labels:
            place += 1
            while place in self.dropped:
                place += 1
            count[label] = count.get(label, 0) + 1
            label = f"{label} {count[label]}" if count[label] > 1 else label or f"column {place}"
            names.append(by_place.get(place) or by_label.get(label) or by_likeness.get(_likeness(label)) or label)
        if columns and by_label.keys().isdisjoint(names):
            raise Damaged(
                f"the header of a shard has none of the contract's columns when its cells are split at {self.delimiter!r}; shards of versions "
                "before csv-delimiter do not say it, where it was given on the command line: read them with sluice shard cat"
            )
        return names


def _likeness(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip().casefold()


def rows(plain: memoryview, form: Form, columns: list[Column], batch: str) -> Iterator[dict[str, Any]]:
    """Each row by column name: declared columns as their types, others as they are.

    Raises:
        UnreadableData: a value is not of the declared type; the message has no value.
        Damaged: the shard is not in the form that its context says.
    """
    return _csv_rows(plain, form, columns, batch) if form.is_csv else _json_rows(plain, columns, batch)


def header(plain: memoryview, form: Form) -> list[str]:
    """The labels of a CSV shard's header."""
    end = bytes(plain[: 1 << 16]).find(b"\n") + 1
    while 0 < end:
        # A label may have line ends inside quotes.
        text = str(plain[:end], "utf-8")
        if text.count('"') % 2 == 0:
            return next(csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True), [])
        rest = bytes(plain[end : end + (1 << 16)]).find(b"\n") + 1
        end = end + rest if rest else 0
    return []


def _csv_rows(plain: memoryview, form: Form, columns: list[Column], batch: str) -> Iterator[dict[str, Any]]:
    reader = csv.reader(io.StringIO(str(plain, "utf-8"), newline=""), delimiter=form.delimiter, strict=True)
    declared = {column.name: column for column in columns}
    try:
        names = form.named(next(reader, []), columns)
        readers = [declared.get(name, Column(name)) for name in names]
        number = 0
        for cells in reader:
            if not cells:
                continue
            number += 1
            if len(cells) != len(readers):
                raise Damaged(f"batch {batch}, shard row {number}: it has {len(cells)} cells, not {len(readers)}")
            row = {}
            for column, text in zip(readers, cells, strict=True):
                try:
                    row[column.name] = column.value(text)
                except (ValueError, OverflowError):
                    raise unfit(column, batch, number) from None
            yield row
    except csv.Error as error:
        raise Damaged(f"batch {batch}: its shard is not CSV ({error})") from None


def _json_rows(plain: memoryview, columns: list[Column], batch: str) -> Iterator[dict[str, Any]]:
    members = {column.name: column for column in columns if not column.path}
    nested = [column for column in columns if column.path]
    for number, line in enumerate(str(plain, "utf-8").split("\n"), 1):
        if not line:
            continue
        try:
            record = json.loads(line)
        except ValueError:
            raise Damaged(f"batch {batch}, shard row {number}: it is no JSON") from None
        row: dict[str, Any] = {column.name: None for column in columns}
        for name, value in record.items():
            column = members.get(name)
            try:
                row[name] = value if column is None else column.json_value(value)
            except (ValueError, OverflowError):
                raise unfit(members[name], batch, number) from None
        for column in nested:
            try:
                row[column.name] = column.json_value(_at(record, column.path))
            except (ValueError, OverflowError):
                raise unfit(column, batch, number) from None
        yield row


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(record, dict):
            record = record.get(part)
        elif isinstance(record, list) and part.isdigit() and int(part) < len(record):
            record = record[int(part)]
        else:
            return None
    return record
