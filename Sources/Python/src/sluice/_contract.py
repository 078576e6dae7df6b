"""Types of columns, as the recorded contract declares them for what leaves the gate."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from ._errors import UnreadableData, UsageError

KINDS = ("string", "integer", "number", "boolean", "date", "datetime", "time", "list", "json")
"""The kinds of values. Years are integers; what has no type in Python (duration, geopoint, yearmonth) is a string."""

_DEFAULT_TRUE, _DEFAULT_FALSE = ("true", "True", "TRUE", "1"), ("false", "False", "FALSE", "0")
_ISO_PATTERN = re.compile(r"%Y-%m-%d[T ]%H:%M:%S(Z|%z)?")
_MIDNIGHT = re.compile(r"T24:00(?=$|:00(?:\.0+)?(?:$|[Z+-])|[Z+-])")
_NUMBER_TEXT = re.compile(r"[-+]?(?:\d[\d.,' \u00a0\u202f\u2009]*)?(?:[.,]?\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Column:
    """One column.

    `kind` is one of `KINDS`. Values of a masked column are text whatever the contract declares.
    """

    name: str
    kind: str = "string"
    format: str = "default"
    """The pattern of a date or time; `default` is ISO 8601."""
    item: str = "string"
    """The kind of a list's items."""
    delimiter: str = ","
    """Between the items of a list."""
    missing: tuple[str, ...] = ("",)
    """Texts that mean "no value"."""
    true_values: tuple[str, ...] = _DEFAULT_TRUE
    false_values: tuple[str, ...] = _DEFAULT_FALSE
    decimal: str = "."
    group: str = ""
    is_bare: bool = True
    """Whether nothing may stand around a number."""
    is_masked: bool = False
    path: tuple[str, ...] = ()
    """Where the value stands in a JSON record; empty for the member of the column's name."""
    place: int = 0
    """The position in a CSV source, from 1, whatever the label; 0 for the column of this label."""

    @property
    def is_plain(self) -> bool:
        """Whether texts of this kind have no notation of their own."""
        return (
            (self.decimal, self.group, self.is_bare) == (".", "", True)
            and (self.true_values, self.false_values) == (_DEFAULT_TRUE, _DEFAULT_FALSE)
            and self.format == "default"
        )

    @property
    def shape(self) -> tuple[object, ...]:
        """What must be alike for the values of two batches to have one type."""
        match self.kind:
            case "datetime":
                return self.kind, self.has_zone
            case "list":
                return self.kind, self.item
            case _:
                return (self.kind,)

    @property
    def has_zone(self) -> bool:
        """Whether a datetime is an instant: in the default form, or by a pattern with a zone. Others are naive."""
        return self.format == "default" or self.format.endswith(("Z", "%z"))

    def value(self, text: str) -> Any:
        """The value of a text. Raises `ValueError` when it does not have the declared form."""
        if text in self.missing:
            return None
        return _PARSERS[self.kind](self, text)

    def json_value(self, value: Any) -> Any:
        """The value of a JSON value. Raises `ValueError` when it does not have the declared type."""
        if value is None:
            return None
        if isinstance(value, str):
            return self.value(value)
        if self.kind == "integer":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
                raise ValueError
            return int(value)
        if self.kind == "number":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isinf(value := float(value)):
                raise ValueError
            return value
        if self.kind == "boolean":
            if not isinstance(value, bool):
                raise ValueError
            return value
        if self.kind == "json":
            return value
        return value if self.kind == "list" else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def whole(text: str) -> int:
    """An integer of any length. Python's own reader stops at 4,300 digits."""
    if len(text) <= 4_000:
        return int(text)
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise ValueError
    return int(Decimal(text))


def _integer(column: Column, text: str) -> int:
    return whole(_bare(column, text)) if not column.is_plain else whole(text)


def _number(column: Column, text: str) -> float:
    if not column.is_plain:
        text = _bare(column, text)
        if column.decimal != ".":
            text = text.replace(column.decimal, ".")
    value = float(text)
    if math.isinf(value) and "inf" not in text.lower():
        # It is finite, and a float cannot hold it.
        raise ValueError
    return value


def _bare(column: Column, text: str) -> str:
    """A number without group marks and without what stands around it."""
    if not column.is_bare:
        found = max(_NUMBER_TEXT.finditer(text), key=lambda match: len(match[0]), default=None)
        text = found[0].strip() if found else text
    if column.group:
        marks = " \u00a0\u202f\u2009" if column.group in " \u00a0\u202f\u2009" else column.group
        text = "".join(one for one in text if one not in marks)
    return text


def _boolean(column: Column, text: str) -> bool:
    if text in column.true_values:
        return True
    if text in column.false_values:
        return False
    raise ValueError


def _date(column: Column, text: str) -> date:
    return date.fromisoformat(text) if column.format == "default" else datetime.strptime(text, column.format).date()


def _datetime(column: Column, text: str) -> datetime:
    if column.format == "default" or _ISO_PATTERN.fullmatch(column.format):
        # RFC 3339 allows small letters, and ISO 8601 the end of a day as 24:00.
        text = text.replace("t", "T").replace("z", "Z")
        ends = _MIDNIGHT.sub("T00:00", text)
        value = datetime.fromisoformat(ends) + timedelta(days=ends != text)
    else:
        value = datetime.strptime(text, column.format)
    if not column.has_zone:
        return value
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


def _time(column: Column, text: str) -> time:
    return time.fromisoformat(text) if column.format == "default" else datetime.strptime(text, column.format).timetz()


def _list(column: Column, text: str) -> list[Any]:
    item = replace(column, kind=column.item, missing=(), format="default")
    return [item.value(one) for one in text.split(column.delimiter)]


_PARSERS: dict[str, Callable[[Column, str], Any]] = {
    "string": lambda _, text: text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "list": _list,
    "json": lambda _, text: json.loads(text),
}

_KIND_OF_TYPE = {
    "integer": "integer",
    "year": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "list": "list",
    "object": "json",
    "array": "json",
    "geojson": "json",
}


def columns(contract: Mapping[str, Any], masked: Iterable[str] = ()) -> list[Column]:
    """The columns of what a contract lets out: fields that are dropped are left out, masked ones are text.

    Args:
        contract: the recorded contract: a Frictionless Table Schema, or a JSON Schema, which declares no columns.
        masked: columns in which the ledger records masks.
    """
    everywhere, masked = _texts(contract.get("missingValues", [""])), set(masked)
    found = []
    for field in contract.get("fields", []):
        own = field.get("sluice", {})
        pii = own.get("pii")
        if pii and pii.get("operator") == "drop":
            continue
        path = tuple(_unescaped(one) for one in own["path"].split("/")[1:]) if "path" in own else ()
        missing = _texts(field["missingValues"]) if "missingValues" in field else everywhere
        if pii or field["name"] in masked:
            column = Column(field["name"], is_masked=True)
        else:
            column = _declared(field)
        found.append(replace(column, missing=missing, path=path, place=own.get("column", 0)))
    return found


def _declared(field: Mapping[str, Any]) -> Column:
    kind, format_ = _KIND_OF_TYPE.get(field.get("type", "any"), "string"), field.get("format", "default")
    if kind in ("date", "datetime", "time"):
        # `any` has several notations, and only the gate reads them all.
        if format_ == "any":
            kind, format_ = "string", "default"
    else:
        format_ = "default"
    return Column(
        field["name"],
        kind,
        format_,
        item=_KIND_OF_TYPE.get(field.get("itemType", "string"), "string"),
        delimiter=field.get("delimiter", ","),
        true_values=_texts(field.get("trueValues", _DEFAULT_TRUE)),
        false_values=_texts(field.get("falseValues", _DEFAULT_FALSE)),
        decimal=field.get("decimalChar", "."),
        group=field.get("groupChar", ""),
        is_bare=field.get("bareNumber", True),
    )


def merged(of_contracts: Iterable[list[Column]]) -> list[Column]:
    """The columns of batches under several contracts. Integers and numbers together are numbers; what was masked once is text.

    Raises:
        UsageError: a column has types that no common one holds.
    """
    found: dict[str, Column] = {}
    for one in of_contracts:
        for column in one:
            known = found.get(column.name)
            if known is None or known == column:
                found[column.name] = column
            elif known.is_masked or column.is_masked:
                found[column.name] = known if known.is_masked else column
            elif known.shape == column.shape:
                continue
            elif {known.kind, column.kind} == {"integer", "number"}:
                found[column.name] = replace(known, kind="number")
            else:
                raise UsageError(
                    f"column {column.name} is {_said(known)} in some batches and {_said(column)} in others; say which with "
                    f'types={{"{column.name}": "string"}}, or take batches of one contract with since= or batches='
                )
    return list(found.values())


def _said(column: Column) -> str:
    match column.kind:
        case "datetime":
            return "datetime with a zone" if column.has_zone else "datetime without a zone"
        case "list":
            return f"list of {column.item}"
        case _:
            return column.kind


def with_types(own: list[Column], types: Mapping[str, str]) -> list[Column]:
    """A contract's columns with the kinds that the caller wants instead."""
    return [replace(column, kind=types.get(column.name, column.kind)) for column in own]


def require_known(types: Mapping[str, str], names: Iterable[str], is_open: bool) -> None:
    """Refuses kinds and columns that do not exist.

    Args:
        types: kinds by column.
        names: the declared columns.
        is_open: whether there may be others.
    """
    names = set(names)
    for name, kind in types.items():
        if kind not in KINDS:
            raise UsageError(f"types: {name}: there is no kind {kind!r}; there are {', '.join(KINDS)}")
        if name not in names and not is_open:
            raise UsageError(f"types: there is no column {name}; there are {', '.join(sorted(names))}")


def lets_others_through(contract: Mapping[str, Any]) -> bool:
    """Whether rows have columns that the contract does not declare."""
    kept = contract.get("sluice", {}).get("unknownFields") == "keep"
    return kept or contract.get("fieldsMatch") in ("subset", "partial", ["subset"], ["partial"]) or "fields" not in contract


def unfit(column: Column, batch: str, row: int) -> UnreadableData:
    """The error for a value that is not of its column's type; it does not tell the value."""
    return UnreadableData(
        f"batch {batch}, shard row {row}, column {column.name}: the value cannot be read as {column.kind}; take it as text with "
        f'types={{"{column.name}": "string"}}'
    )


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(one["value"]) if isinstance(one, dict) else str(one) for one in values)


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def aligned(own: list[Column], target: list[Column]) -> list[Column]:
    """The columns of all batches together as one contract's batches have them: with its own notations, and those that it does not declare
    in the notation of the others."""
    declared = {column.name: column for column in own}
    return [
        replace(declared[column.name], kind=column.kind, is_masked=column.is_masked)
        if column.name in declared
        else replace(column, path=(), place=0)
        for column in target
    ]
