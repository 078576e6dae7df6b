"""`python -m sluice`: verify, list, read and convert without writing a program."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import Dataset, SluiceError
from ._dataset import opened_record


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. The exit codes are those of `sluice`."""
    parser = argparse.ArgumentParser(prog="python -m sluice", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("verify", "verify the ledger's tree, signatures and anchors"),
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
            command.add_argument("--since", help="only entries from this number on, or batches since this ISO 8601 time")
            command.add_argument("--at", type=int, help="as of this size of the ledger")
            command.add_argument("--binary", help="the program sluice (default: $SLUICE, or sluice on the path)")
        if name == "to-parquet":
            command.add_argument("output", type=Path, help="the file to write")
    given = parser.parse_args(arguments)
    try:
        return _run(given)
    except SluiceError as error:
        print(f"sluice: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader has enough, as with `| head`.
        sys.stderr.close()
        return 0


def _run(given: argparse.Namespace) -> int:
    if given.command in ("verify", "list"):
        record = opened_record(Path(given.store), given.vkey, given.anchor)
        if given.command == "verify":
            print(json.dumps({**record.document(), "anchors": len(given.anchor)}))
        elif given.dataset is None:
            for name, batches, shards, count in record.datasets():
                print(f"{name}  {batches} batches  {shards} shards  {count} rows")
        else:
            for shard in record.shards(given.dataset):
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
        print(json.dumps(row, ensure_ascii=False, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
