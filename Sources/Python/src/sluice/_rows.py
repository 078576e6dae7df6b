"""The rows of a shard's plaintext, as Python values."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ._contract import Column, unfit, whole
from ._errors import Damaged, UnreadableData

csv.field_size_limit(min(sys.maxsize, (1 << 31) - 1))


@dataclass(frozen=True)
class EarlierLabels:
    """The names of columns in shards whose context does not say the fields.

    A version that says them leaves them out only where each column is a field and has its name. So other labels are of an earlier version,
    and compared as it did: by name, by position, and by a name that differs in case or spaces where the contract allows that.
    """

    dropped: frozenset[int] = frozenset()
    """Positions, from 1, of columns of the source that are not in the shard."""
    is_certain: bool = True
    """Whether these are all."""
    ignores_case: bool = False
    trims: bool = False

    @staticmethod
    def of(contract: dict[str, Any]) -> EarlierLabels:
        settings = contract.get("sluice", {})
        dropped, is_certain = set(settings.get("dropColumns", [])), settings.get("unknownFields") != "drop"
        for field in contract.get("fields", []):
            own = field.get("sluice", {})
            if own.get("pii", {}).get("operator") == "drop":
                is_certain = is_certain and "column" in own
                dropped |= {own["column"]} if "column" in own else set()
        return EarlierLabels(
            frozenset(dropped),
            is_certain,
            ignores_case=settings.get("dialect", {}).get("caseSensitiveHeader") is False,
            trims=bool(settings.get("trimLabels")),
        )

    def named(self, labels: list[str], columns: list[Column], delimiter: str) -> list[str]:
        """The columns' names for the labels of a header. Blank and repeated labels are named by position and number."""
        exact = {column.name for column in columns}
        if exact.issuperset(labels) and len(set(labels)) == len(labels):
            return labels
        by_place = {column.place: column.name for column in columns if column.place}
        by_key: dict[str, str] = {}
        for column in columns:
            if not column.place:
                by_key.setdefault(self._key(column.name), column.name)
        names, count, place, taken = [], dict[str, int](), 0, set[str]()
        for label in labels:
            place += 1
            while place in self.dropped:
                place += 1
            count[label] = count.get(label, 0) + 1
            label = f"{label} {count[label]}" if count[label] > 1 else label or f"column {place}"
            name = by_place.get(place) or by_key.get(self._key(label))
            if name is None or name in taken:
                name, number = label, 2
                while name in taken or name in exact:
                    name, number = f"{label} {number}", number + 1
            taken.add(name)
            names.append(name)
        if by_place and not self.is_certain:
            raise UnreadableData(
                "a shard of an earlier version does not say which of its columns are the fields that the contract names by position, since "
                "columns before them were dropped; read it with sluice shard cat"
            )
        if columns and exact.isdisjoint(names):
            raise Damaged(
                f"the header of a shard has none of the contract's columns when its cells are split at {delimiter!r}; shards of versions "
                "before csv-delimiter do not say it, where it was given on the command line: read them with sluice shard cat"
            )
        return names

    def _key(self, label: str) -> str:
        text = unicodedata.normalize("NFC", " ".join(label.split()) if self.trims else label)
        return text.lower() if self.ignores_case else text


@dataclass(frozen=True)
class Form:
    """How a shard is written, by its authenticated context."""

    is_csv: bool
    delimiter: str = ","
    fields: tuple[str | None, ...] | None = None
    """The declared field that each column is, if any; None where the labels say it."""
    earlier: EarlierLabels = EarlierLabels()
    """How a version that did not yet say the fields named columns."""

    @staticmethod
    def of(context: dict[str, str], contract: dict[str, Any]) -> Form:
        """CSV is RFC 4180 with a header; the context says where the delimiter is another, and where labels are not the fields' names.

        Shards from before the context said so have the delimiter of the contract's dialect.

        Raises:
            Damaged: the context names a field that the contract does not have.
        """
        settings = contract.get("sluice", {})
        dialect = settings.get("dialect", {})
        is_verbatim = not set(dialect) - {"delimiter"}
        before = dialect.get("delimiter", ",") if is_verbatim else ","
        return Form(
            is_csv=context.get("media-type") == "text/csv",
            delimiter=context.get("csv-delimiter", before),
            fields=_fields(context["csv-fields"], contract) if "csv-fields" in context else None,
            earlier=EarlierLabels.of(contract),
        )

    def named(self, labels: list[str], columns: list[Column]) -> list[str]:
        """The columns' names for the labels of a header."""
        if self.fields is None:
            return self.earlier.named(labels, columns, self.delimiter)
        if len(self.fields) != len(labels):
            raise Damaged(f"the header of a shard has {len(labels)} columns, and its context {len(self.fields)}")
        taken, names = {name for name in self.fields if name is not None}, []
        for name, label in zip(self.fields, labels, strict=True):
            if name is None:
                name, number = label, 2
                while name in taken:
                    name, number = f"{label} {number}", number + 1
                taken.add(name)
            names.append(name)
        return names


def _fields(text: str, contract: dict[str, Any]) -> tuple[str | None, ...]:
    """`A+N` are N fields from the one with index A on, `-N` are N columns that are no field."""
    names: list[str | None] = []
    declared = [field["name"] for field in contract.get("fields", [])]
    for run in text.split(","):
        first, _, count = run.partition("+")
        if run.startswith("-"):
            names += [None] * int(run[1:])
        elif int(first) + int(count) <= len(declared):
            names += declared[int(first) : int(first) + int(count)]
        else:
            raise Damaged("the context of a shard names a field that its contract does not have")
    return tuple(names)


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
        absent = dict.fromkeys(name for name in declared if name not in set(names))
        number = 0
        for cells in reader:
            if not cells:
                continue
            number += 1
            if len(cells) != len(readers):
                raise Damaged(f"batch {batch}, shard row {number}: it has {len(cells)} cells, not {len(readers)}")
            row: dict[str, Any] = {}
            for column, text in zip(readers, cells, strict=True):
                try:
                    row[column.name] = column.value(text)
                    continue
                except (ValueError, OverflowError):
                    pass
                # Not from within: that error has the value.
                raise unfit(column, batch, number)
            row.update(absent)
            yield row
    except csv.Error as error:
        raise Damaged(f"batch {batch}: its shard is not CSV ({error})") from None


def _json_rows(plain: memoryview, columns: list[Column], batch: str) -> Iterator[dict[str, Any]]:
    members = {column.name: column for column in columns if not column.path}
    nested = [column for column in columns if column.path]
    for number, line in enumerate(str(plain, "utf-8").split("\n"), 1):
        if not line:
            continue
        record = _parsed(line, batch, number)
        row: dict[str, Any] = {column.name: None for column in columns}
        for name, value in record.items():
            column = members.get(name)
            try:
                row[name] = value if column is None else column.json_value(value)
                continue
            except (ValueError, OverflowError):
                pass
            raise unfit(members[name], batch, number)
        for column in nested:
            try:
                row[column.name] = column.json_value(_at(record, column.path))
                continue
            except (ValueError, OverflowError):
                pass
            raise unfit(column, batch, number)
        yield row


def _parsed(line: str, batch: str, number: int) -> Any:
    for hook in (None, whole):
        # The second time with integers of any length.
        with contextlib.suppress(ValueError):
            return json.loads(line, parse_int=hook)
    raise Damaged(f"batch {batch}, shard row {number}: it is no JSON")


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(record, dict):
            record = record.get(part)
        elif isinstance(record, list) and part.isdigit() and int(part) < len(record):
            record = record[int(part)]
        else:
            return None
    return record
