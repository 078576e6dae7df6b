"""`python -m sluice`: verify, list, read and convert without writing a program."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

from . import Dataset, NotFound, SluiceError
from ._dataset import opened_record


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. The exit codes are those of `sluice`."""
    parser = argparse.ArgumentParser(prog="python -m sluice", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("verify", "verify the whole ledger again: tree, signatures, anchors, and that it is no older than what was seen; no shard is read"),
        ("list", "list datasets, or the shards of one"),
        ("cat", "print rows as JSON lines"),
        ("to-parquet", "write a Parquet file"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("store", help="the folder of the store")
        command.add_argument("--vkey", help="the ledger's verifier key, as sluice keys list prints it (default: the one that sluice pinned)")
        command.add_argument("--anchor", action="append", default=[], metavar="FILE", help="a checkpoint or receipt kept elsewhere; may be repeated")
        if name == "list":
            command.add_argument("dataset", nargs="?", help="the dataset")
        if name in ("cat", "to-parquet"):
            command.add_argument("dataset", help="the dataset")
            command.add_argument("--reason", required=True, help="why; the ledger records it, so give no personal data")
            command.add_argument("--since", help="only entries from this number on, or batches since this ISO 8601 time (a lone year is written 2026-01-01)")
            command.add_argument("--at", type=int, help="as of this size of the ledger")
            command.add_argument("--binary", help="the program sluice (default: $SLUICE, or sluice on the path)")
        if name == "to-parquet":
            command.add_argument("output", type=Path, help="the file to write")
    given = parser.parse_args(arguments)
    try:
        code = _run(given)
        sys.stdout.flush()
        return code
    except SluiceError as error:
        print(f"sluice: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader has enough, as with `| head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"sluice: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
        return 73


def _run(given: argparse.Namespace) -> int:
    if given.command in ("verify", "list"):
        record = opened_record(Path(given.store), given.vkey, given.anchor, afresh=given.command == "verify")
        if given.command == "verify":
            print(json.dumps({**record.document(), "anchors": len(given.anchor)}))
        elif given.dataset is None:
            for name, batches, shards, count in record.datasets():
                print(f"{name}  {batches} batches  {shards} shards  {count} rows")
        else:
            found = record.shards(given.dataset)
            if not found:
                raise NotFound(f"{given.store}: it has no accepted shard of a dataset {given.dataset}; see: python -m sluice list {given.store}")
            for shard in found:
                state = f"  removed by entry {shard.removed}" if shard.removed is not None else ""
                print(f"#{shard.entry}  {shard.batch.time}  {shard.path}  {shard.rows} rows{state}")
        return 0
    since: Any = int(given.since) if given.since and given.since.isdigit() else given.since
    dataset = Dataset(
        given.store,
        given.dataset,
        since=since,
        at=given.at,
        vkey=given.vkey,
        anchors=given.anchor,
        reason=given.reason,
        binary=given.binary,
    )
    if given.command == "to-parquet":
        dataset.to_parquet(given.output)
        print(f"{dataset.row_count} rows in {given.output}")
        return 0
    for row in dataset:
        print(json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False, allow_nan=False))
    return 0


def _plain(value: Any) -> Any:
    """A value as JSON has it: times in ISO 8601, and numbers that JSON does not have as text."""
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.exit(main())
