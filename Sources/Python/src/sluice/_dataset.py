"""Accepted data of a store, verified before it is handed out."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from multiprocessing.context import get_spawning_popen
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import _contract
from ._access import program_at, recorded_keys, wrapping_keys
from ._contract import Column
from ._errors import (
    Damaged,
    MissingPackage,
    NotFound,
    NotPermitted,
    NotRecordedWarning,
    SluiceError,
    UnpinnedWarning,
    UsageError,
    warn,
)
from ._message import Header, plaintext, unwrapped
from ._record import Batch, Record, Shard, known_key, own_key
from ._rows import Form, rows

if TYPE_CHECKING:
    from ._torch import TorchRows

Recording = Literal["require", "try", "never"]

UNPINNED = "unpinned"
"""As `vkey`: the key that the ledger states of itself. It shows damage, and no forgery."""


class Dataset:
    """The accepted shards of one dataset, at one checkpoint of the ledger.

    Iterating gives rows as dictionaries. No row of a shard is handed out before the whole shard has proven to be the one that the signed
    ledger records.

    Args:
        store: the folder of the store.
        dataset: the name of the dataset.
        since: only shards of ledger entries from this number on (best the size of an earlier checkpoint), or of batches received at this
            time or later: a datetime, or ISO 8601; without a zone in UTC.
        at: as of this size of the ledger, such as that of the checkpoint that was kept with a model.
        batches: only these batches.
        types: kinds of columns that the caller wants instead of the contract's; see `sluice.KINDS`.
        vkey: the verifier key of the ledger, as `sluice keys list` prints it. By default the one that `sluice` pinned for this user.
        anchors: checkpoints or receipts (`.tlog-proof`) that were kept elsewhere, as bytes or files.
        keys: wrapping keys for reading that is not recorded: by name, or key files; by default those in the store.
        record: `require`: the ledger records who opens which shards and why, or nothing is opened. `try`: it is recorded, and only where the
            program `sluice` is not there it is not. `never`: it is not.
        reason: why; the ledger records it, so it must hold no personal data.
        binary: the program `sluice`.

    Raises:
        SluiceError: one of its kinds; the message says what happened, where, and what helps.
    """

    def __init__(
        self,
        store: str | os.PathLike[str],
        dataset: str,
        *,
        since: int | str | datetime | None = None,
        at: int | None = None,
        batches: Iterable[str] | None = None,
        types: Mapping[str, str] | None = None,
        vkey: str | None = None,
        anchors: Sequence[bytes | str | os.PathLike[str]] = (),
        keys: Mapping[str, bytes] | Iterable[str | os.PathLike[str]] | None = None,
        record: Recording = "require",
        reason: str | None = None,
        binary: str | os.PathLike[str] | None = None,
    ) -> None:
        if record not in ("require", "try", "never"):
            raise UsageError(f"record={record!r}: write require, try or never")
        if record != "never" and (not reason or "\0" in reason):
            raise UsageError("reason=: say why these rows are opened; the ledger of the store records it")
        for name, value in (("batches", batches), ("keys", keys), ("anchors", anchors)):
            if isinstance(value, (str, bytes, os.PathLike)):
                raise UsageError(f"{name}=: write a list, even of one")
        self.store, self.name, self.reason = Path(store), dataset, reason
        self._recording, self._binary, self._given_keys = record, binary, keys
        self._record = opened_record(self.store, vkey, anchors)
        self.shards = self._selected(since, at, batches)
        self._contracts: dict[str, dict[str, Any]] = {}
        self._columns = self._read_columns(types or {})
        self._data_keys: dict[str, bytes] | None = None
        self._asking = threading.Lock()
        self.recorded = False
        """Whether the ledger has recorded the access."""

    def __getstate__(self) -> dict[str, Any]:
        """Data keys go along to a process that this one starts, and into no other copy: who keeps one could read without a record."""
        state = {name: value for name, value in self.__dict__.items() if name != "_asking"}
        if get_spawning_popen() is None:
            state["_data_keys"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._asking = threading.Lock()

    # What is there

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The state of the ledger that was verified: origin, size, root (Base64) and verifier key. Keep it with the model."""
        return self._record.document()

    @property
    def columns(self) -> list[Column]:
        """The declared columns."""
        return list(self._columns)

    @property
    def row_count(self) -> int:
        """The number of rows."""
        return sum(shard.rows for shard in self.shards)

    def __len__(self) -> int:
        return self.row_count

    def __repr__(self) -> str:
        return f"<sluice dataset {self.name}: {self.row_count} rows in {len(self.shards)} shards at {self._record.checkpoint.size}>"

    def provenance(self) -> dict[str, Any]:
        """What a model card needs: checkpoint, batches with sources and digests, and each shard with its SHA-256."""
        batches: dict[str, dict[str, Any]] = {}
        for shard in self.shards:
            of_batch = batches.setdefault(
                shard.batch.id,
                {
                    "batch": shard.batch.id, "source": shard.batch.source, "received": shard.batch.time,
                    "data_sha256": shard.batch.data_hash, "contract_sha256": shard.batch.contract_sha256, "shards": [],
                },
            )
            of_batch["shards"].append({"path": shard.path, "sha256": shard.sha256, "rows": shard.rows, "entry": shard.entry})
        return {
            "dataset": self.name, "rows": self.row_count, "checkpoint": self.checkpoint, "batches": list(batches.values()),
            "recorded": self.recorded, "reason": self.reason,
        }

    # Reading

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for shard in self.shards:
            yield from self._rows(shard)

    def batches(self) -> Iterator[Any]:
        """Arrow record batches, shard by shard, all of one schema: declared columns, then those that the first shard has besides.

        Raises:
            UsageError: a later shard has a column that is neither declared nor in the first one.
        """
        for table in self._tables():
            yield from table.to_batches()

    def _tables(self) -> Iterator[Any]:
        """The shards as tables of one schema."""
        arrow, wanted = _arrow(), None
        for shard in self.shards:
            table = self._table(shard)
            if wanted is None:
                wanted = table.schema
            if extra := set(table.column_names) - set(wanted.names):
                raise UsageError(
                    f"column {sorted(extra)[0]} is not declared, and not in every batch; read them together with to_arrow(), or one contract's "
                    "batches with since= or batches="
                )
            yield arrow.fitted(table, wanted)

    def to_arrow(self) -> Any:
        """One Arrow table. Columns that a batch does not have are null there."""
        arrow = _arrow()
        tables = [self._table(shard) for shard in self.shards]
        if not tables:
            return arrow.schema(self._columns).empty_table()
        return arrow.pa.concat_tables(tables, promote_options="default")

    def to_pandas(self, **options: Any) -> Any:
        """A pandas data frame; options go to `pyarrow.Table.to_pandas`."""
        return self.to_arrow().to_pandas(**options)

    def to_polars(self) -> Any:
        """A polars data frame."""
        try:
            import polars
        except ImportError:
            raise MissingPackage("polars is not installed: pip install 'sluice-data[polars]'") from None
        return polars.from_arrow(self.to_arrow())

    def to_hf(self) -> Any:
        """A Hugging Face dataset in memory."""
        try:
            import datasets
        except ImportError:
            raise MissingPackage("datasets is not installed: pip install 'sluice-data[hf]'") from None
        return datasets.Dataset(self.to_arrow())

    def to_torch(
        self,
        rank: int = 0,
        world: int = 1,
        *,
        shuffle: int = 0,
        seed: int = 0,
        drop_last: bool = False,
        columns: Sequence[str] | None = None,
        transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> TorchRows:
        """A `torch.utils.data.IterableDataset` of rows; each row goes to one rank and one of its workers.

        Args:
            rank: the number of this process, from 0.
            world: the number of processes.
            shuffle: rows in the shuffle buffer; shards change their order as well. 0 keeps the order of the ledger.
            seed: of the shuffle; `set_epoch` changes it for each epoch.
            drop_last: give every worker of every rank the same number of rows, and leave out the few that are over.
            columns: only these.
            transform: applied to each row, such as one that makes tensors.
        """
        try:
            from ._torch import TorchRows
        except ImportError:
            raise MissingPackage("torch is not installed: pip install 'sluice-data[torch]'") from None
        if not 0 <= rank < world:
            raise UsageError(f"rank={rank}: there are {world} processes, numbered from 0")
        if columns is not None:
            known = {column.name for column in self._columns}
            for name in columns:
                if not self._is_open and name not in known:
                    raise UsageError(f"columns: there is no column {name}; there are {', '.join(sorted(known))}")
        self._open_keys()
        deal = Deal(rank=rank, world=world, shuffle=shuffle, seed=seed, drop_last=drop_last)
        return TorchRows(self, deal, tuple(columns) if columns is not None else None, transform)

    def to_parquet(
        self, path: str | os.PathLike[str], *, compression: str = "zstd", encryption: Mapping[str, Any] | None = None
    ) -> None:
        """Writes one Parquet file, with a row group for each shard, which appears once all of it is there.

        Args:
            path: the file; it must not exist.
            compression: as pyarrow names it.
            encryption: Parquet modular encryption: `{"footer": KEY, "columns": {NAME: KEY}}` with keys of 16, 24 or 32 bytes; without
                `columns` the footer's key encrypts them all. `sluice.parquet_decryption` opens it again.
        """
        from ._parquet import write

        arrow = _arrow()
        write(Path(path), arrow.schema(self._columns), self._tables(), self.provenance, compression, encryption)

    # Shards

    def _selected(self, since: int | str | datetime | None, at: int | None, batches: Iterable[str] | None) -> list[Shard]:
        known = {name for name, *_ in self._record.datasets()}
        found = self._record.shards(self.name, since, at)
        if not found and self.name not in known:
            raise NotFound(
                f"{self.store}: it has no accepted shard of a dataset {self.name}" + (f"; there are {', '.join(sorted(known))}" if known else "")
            )
        if batches is not None:
            wanted = set(batches)
            if missing := wanted - {shard.batch.id for shard in found}:
                raise NotFound(f"{self.store}: dataset {self.name} has no accepted shard of batch {sorted(missing)[0]}; see: sluice lineage log")
            found = [shard for shard in found if shard.batch.id in wanted]
        if at is not None:
            for shard in found:
                is_removed = shard.removed is not None and shard.removed >= at
                if is_removed or shard.erased is not None and shard.erased >= at:
                    what = f"was removed (entry {shard.removed})" if is_removed else f"has lost rows to erasure (entry {shard.erased})"
                    raise NotFound(
                        f"{self.store}/{shard.path}: it {what} since entry {at}, so the data of then cannot be read any more; without at= you "
                        "get what there is today"
                    )
        return [shard for shard in found if shard.removed is None]

    def _read_columns(self, types: Mapping[str, str]) -> list[Column]:
        masked: dict[str, set[str]] = {}
        # Without a row the columns are those that the newest batch has.
        for batch in self._batches() or [shard.batch for shard in self._record.shards(self.name)[-1:]]:
            masked.setdefault(batch.contract_sha256, set()).update(batch.masked)
        own = {digest: _contract.columns(self._contract(digest), names) for digest, names in masked.items()}
        self._is_open = any(_contract.lets_others_through(self._contract(digest)) for digest in own)
        declared = {column.name for one in own.values() for column in one}
        _contract.require_known(types, declared, self._is_open)
        own = {digest: _contract.with_types(one, types) for digest, one in own.items()}
        others = [Column(name, kind) for name, kind in types.items() if name not in declared]
        target = _contract.merged([*own.values(), others])
        self._own_columns = {digest: _contract.aligned(one, target) for digest, one in own.items()}
        return target

    def _batches(self) -> list[Batch]:
        return list({shard.batch.id: shard.batch for shard in self.shards}.values())

    def _contract(self, digest: str) -> dict[str, Any]:
        if digest not in self._contracts:
            self._contracts[digest] = self._record.contract(digest) if digest else {}
        return self._contracts[digest]

    def _open_keys(self) -> dict[str, bytes]:
        """Data keys by the SHA-256 of their files. The access is recorded once, when the first row is asked for."""
        with self._asking:
            if self._data_keys is None:
                self._data_keys = self._asked_keys()
            return self._data_keys

    def _asked_keys(self) -> dict[str, bytes]:
        if not self.shards:
            return {}
        if self._recording == "require" or self._recording == "try" and program_at(self._binary) is not None:
            found = recorded_keys(self.store, self.shards, self.reason or "", self._binary)
            self.recorded = True
            return found
        why = "" if self._recording == "never" else ", since the program sluice is not there"
        warn(f"{len(self.shards)} shards of {self.name} are opened, and the ledger does not record it{why}", NotRecordedWarning)
        keys, found = wrapping_keys(self._given_keys, self.store), {}
        for shard in self.shards:
            header = Header(self._head(shard), str(self.store / shard.path))
            self._require_recorded(header, shard)
            data_key = unwrapped(header, keys)
            if data_key is None:
                names = ", ".join(one.name for one in header.recipients)
                self._require_digest(shard)
                if Record(self.store, self._record.verifier.text).shredded(shard.keys):
                    raise NotFound(f"{header.where}: no key of this store opens it any more: the key was destroyed")
                raise NotPermitted(
                    f"{header.where}: none of the keys {', '.join(sorted(keys)) or '(none)'} opens it; it is for {names}. Keys of services and "
                    'post-quantum keys open with record="require"'
                )
            found[shard.sha256] = data_key
        return found

    def _head(self, shard: Shard) -> bytes:
        try:
            with open(self.store / shard.path, "rb") as file:
                return file.read(1 << 18)
        except OSError as error:
            raise self._other_than_recorded(shard, error) from None

    def _require_digest(self, shard: Shard) -> None:
        """A header that was changed may look like one for other keys."""
        if hashlib.sha256((self.store / shard.path).read_bytes()).hexdigest() != shard.sha256:
            raise self._other_than_recorded(shard)

    def _other_than_recorded(self, shard: Shard, error: OSError | None = None) -> SluiceError:
        """Why a file is not as this snapshot of the ledger records it: the gate may have changed or removed it since."""
        path = self.store / shard.path
        for now in Record(self.store, self._record.verifier.text).shards(self.name):
            if now.path == shard.path and (now.sha256, now.removed) != (shard.sha256, shard.removed):
                entry = now.removed if now.removed is not None else now.changed
                what = "removed" if now.removed is not None else "given another form, for other keys or without erased rows,"
                return NotFound(f"{path}: it was {what} by entry {entry} of the ledger since this dataset was opened; open it again")
        if error is not None:
            return Damaged(f"{path}: the ledger records it, but it cannot be read ({error.strerror}); see: sluice doctor --store {self.store}")
        return Damaged(f"{path}: it is not the file that the ledger records; see: sluice lineage verify --files")

    def _require_recorded(self, header: Header, shard: Shard) -> None:
        """Compares what the message says of itself with the record."""
        stated = {name: header.context.get(name) for name in ("dataset", "batch-id", "role", "shard")}
        if stated != {"dataset": self.name, "batch-id": shard.batch.id, "role": "accepted", "shard": str(shard.number)}:
            raise Damaged(f"{header.where}: it was sealed for another place")
        for recorded, found in ((shard.message_id, header.message_id), (shard.commitment, header.commitment)):
            if recorded is not None and recorded != found.hex():
                raise Damaged(f"{header.where}: it is not the message that the ledger records")

    def _plain(self, shard: Shard) -> tuple[memoryview, Form, list[Column]]:
        """The verified plaintext of a shard, and how to read it."""
        keys, path = self._open_keys(), self.store / shard.path
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise self._other_than_recorded(shard, error) from None
        if hashlib.sha256(raw).hexdigest() != shard.sha256:
            raise self._other_than_recorded(shard)
        header = Header(raw, str(path))
        self._require_recorded(header, shard)
        plain = plaintext(raw, header, keys[shard.sha256])
        contract = self._contract(shard.batch.contract_sha256)
        return plain, Form.of(header.context, contract), self._own_columns[shard.batch.contract_sha256]

    def _rows(self, shard: Shard) -> Iterator[dict[str, Any]]:
        plain, form, columns = self._plain(shard)
        count = 0
        for row in rows(plain, form, columns, shard.batch.id):
            count += 1
            yield row
        self._require_count(shard, count)

    def _table(self, shard: Shard) -> Any:
        arrow = _arrow()
        plain, form, columns = self._plain(shard)
        made = arrow.table(plain, form, columns, shard.batch.id, shard.rows)
        self._require_count(shard, made.num_rows)
        return made

    def _require_count(self, shard: Shard, count: int) -> None:
        if count != shard.rows:
            raise Damaged(f"{self.store / shard.path}: it has {count} rows, and the ledger records {shard.rows}")


class Deal:
    """Which rows a worker gets: a contiguous share of all rows, in the order of this epoch."""

    def __init__(self, *, rank: int, world: int, shuffle: int, seed: int, drop_last: bool) -> None:
        self.rank, self.world, self.shuffle, self.seed, self.drop_last = rank, world, shuffle, seed, drop_last

    def parts(self, counts: Sequence[int], epoch: int, worker: int, workers: int) -> list[tuple[int, range]]:
        """The shards of one worker, in order, each with the rows that it takes of it.

        Args:
            counts: the number of rows of each shard.
            epoch: changes the order of the shards where rows are shuffled.
            worker: the number of the worker in its rank, from 0.
            workers: the number of workers of each rank.
        """
        order = list(range(len(counts)))
        if self.shuffle:
            self.generator(epoch).shuffle(order)
        total, parts = sum(counts), self.world * workers
        part = self.rank * workers + worker
        if self.drop_last:
            each = total // parts
            begin, end = part * each, (part + 1) * each
        else:
            begin, end = total * part // parts, total * (part + 1) // parts
        taken, at = [], 0
        for shard in order:
            first, last = max(begin, at), min(end, at + counts[shard])
            if first < last:
                taken.append((shard, range(first - at, last - at)))
            at += counts[shard]
        return taken

    def generator(self, *salt: int) -> random.Random:
        """A generator that depends on the seed and these numbers alone."""
        return random.Random(f"{self.seed} {salt}")

    def shuffled(self, source: Iterator[Any], *salt: int) -> Iterator[Any]:
        """The items in another order: each leaves the buffer at random, once the buffer is full."""
        if self.shuffle <= 1:
            yield from source
            return
        generator, buffer = self.generator(*salt), list[Any]()
        for item in source:
            if len(buffer) < self.shuffle:
                buffer.append(item)
                continue
            place = generator.randrange(len(buffer))
            yield buffer[place]
            buffer[place] = item
        generator.shuffle(buffer)
        yield from buffer


def opened_record(
    store: Path, vkey: str | None, anchors: Sequence[bytes | str | os.PathLike[str]] = (), *, afresh: bool = False
) -> Record:
    """The verified record of a store, by the given key or the one that `sluice` pinned; `afresh` reads every entry again."""
    if not store.is_dir():
        raise NotFound(f"{store}: there is no such folder")
    known = known_key(store)
    if vkey == UNPINNED:
        warn(f"{store}: the key of its ledger is taken from the ledger itself, which proves nothing about who wrote it", UnpinnedWarning)
        vkey, known = own_key(store), None
    if vkey is None:
        if known is None:
            raise UsageError(
                f"{store}: the key of its ledger is not known here. Give vkey= with the line that sluice keys list prints on the machine of the "
                "gate; from the store itself it would prove nothing"
            )
        vkey = known[0]
    seen = None
    if known is not None and known[0] == vkey and known[1]:
        seen = (known[1], base64.b64decode(known[2]))
    return Record(store, vkey, [_anchor(one) for one in anchors], seen, afresh=afresh)


def _anchor(given: bytes | str | os.PathLike[str]) -> bytes:
    if isinstance(given, bytes):
        return given
    try:
        return Path(given).read_bytes()
    except OSError as error:
        raise NotFound(f"{os.fspath(given)}: the anchor cannot be read ({error.strerror})") from None


def _arrow() -> Any:
    from . import _arrow

    return _arrow


__all__ = ["UNPINNED", "Dataset", "Deal", "opened_record"]
