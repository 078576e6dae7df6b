"""Parquet files, plain or with modular encryption."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ._errors import NotFound, NotPermitted, UsageError

def write(
    path: Path,
    declared: Any,
    tables: Iterable[Any],
    provenance: Callable[[], Mapping[str, Any]],
    compression: str,
    encryption: Mapping[str, Any] | None,
) -> None:
    """Writes tables of one schema as row groups of one new file.

    Args:
        path: the file.
        declared: the schema where there is no table.
        tables: the tables.
        provenance: what goes into the file's metadata, once the first table is there.
        compression: as pyarrow names it.
        encryption: keys, as `Dataset.to_parquet` takes them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.exists():
        raise UsageError(f"{path}: it exists; give another name or remove it")
    if not path.parent.is_dir():
        raise NotFound(f"{path.parent}: there is no such folder")
    is_known = compression.lower() == "none"
    with contextlib.suppress(ValueError):
        is_known = is_known or pa.Codec.is_available(compression)
    if not is_known:
        raise UsageError(f"compression={compression!r}: pyarrow does not have it; there are zstd, snappy, gzip, brotli, lz4 and none")
    if encryption is not None:
        _named(encryption)
    rest = iter(tables)
    first = next(rest, None)
    schema = declared if first is None else first.schema
    properties = None
    if encryption is not None:
        configuration = _configuration(encryption, schema)
        properties = _factory(encryption).file_encryption_properties(_connection(), configuration)
    # With the first table the access is recorded.
    schema = schema.with_metadata({**(schema.metadata or {}), b"sluice.provenance": json.dumps(provenance()).encode()})
    with _new_file(path) as file, pq.ParquetWriter(file, schema, compression=compression, encryption_properties=properties) as writer:
        for table in itertools.chain([first] if first is not None else [], rest):
            writer.write_table(table.replace_schema_metadata(schema.metadata), row_group_size=max(1, table.num_rows))


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name once all of it is written.

    Until then it has none, so that nothing is left of a process that is killed. Where the file system has no such files (NFS), it is
    `.NAME.part`, which only a killed process leaves.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        descriptor, is_named = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o600), False
    except (OSError, AttributeError):
        try:
            descriptor, is_named = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), True
        except FileExistsError:
            raise UsageError(f"{part}: another process writes it, or one was interrupted; wait, or remove it") from None
        except OSError as error:
            raise NotPermitted(f"{part}: it cannot be made ({error.strerror})") from None
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
            if is_named:
                os.link(part, path)
            else:
                # Only with a folder does os.link follow the link; the path is absolute, so that the folder does not count.
                os.link(f"/proc/self/fd/{descriptor}", path.absolute(), src_dir_fd=descriptor, follow_symlinks=True)
    except FileExistsError:
        raise UsageError(f"{path}: it exists; give another name or remove it") from None
    finally:
        if is_named:
            part.unlink(missing_ok=True)


def parquet_decryption(keys: Mapping[str, Any]) -> Any:
    """Decryption properties for `pyarrow.parquet.read_table(…, decryption_properties=…)`, from the keys that encrypted the file."""
    import pyarrow.parquet.encryption as pe

    return _factory(keys).file_decryption_properties(_connection(), pe.DecryptionConfiguration())


def _named(keys: Mapping[str, Any]) -> dict[str, bytes]:
    named = {"footer": keys.get("footer"), **{f"column {name}": key for name, key in (keys.get("columns") or {}).items()}}
    for name, key in named.items():
        if not isinstance(key, bytes) or len(key) not in (16, 24, 32):
            raise UsageError(f"encryption: {name} needs a key of 16, 24 or 32 bytes")
    return named


def _factory(keys: Mapping[str, Any]) -> Any:
    import pyarrow.parquet.encryption as pe

    named = _named(keys)

    class Client(pe.KmsClient):  # type: ignore[misc]
        """Wraps Parquet's own keys with the given ones (AES-GCM)."""

        def __init__(self, _: Any) -> None:
            pe.KmsClient.__init__(self)

        def wrap_key(self, key: bytes, name: str) -> bytes:
            iv = os.urandom(12)
            return base64.b64encode(iv + AESGCM(named[name]).encrypt(iv, key, name.encode()))

        def unwrap_key(self, wrapped: bytes, name: str) -> bytes:
            raw = base64.b64decode(wrapped)
            try:
                return AESGCM(named[name]).decrypt(raw[:12], raw[12:], name.encode())
            except (KeyError, InvalidTag):
                raise NotPermitted(f"encryption: the key of the {name} is not there, or is another") from None

    return pe.CryptoFactory(Client)


def _connection() -> Any:
    import pyarrow.parquet.encryption as pe

    return pe.KmsConnectionConfig()


def _configuration(keys: Mapping[str, Any], schema: Any) -> Any:
    import pyarrow.parquet.encryption as pe

    columns, known = keys.get("columns") or {}, set(schema.names)
    for name in columns:
        if name not in known:
            raise UsageError(f"encryption: there is no column {name}; there are {', '.join(sorted(known))}")
    if not columns:
        return pe.EncryptionConfiguration(footer_key="footer", data_key_length_bits=256, uniform_encryption=True)
    # Columns that have no key of their own have the footer's: pyarrow leaves those unencrypted that are not listed.
    named = {f"column {name}": [_leaf(schema.field(name))] for name in columns}
    others = [_leaf(field) for field in schema if field.name not in columns]
    if others:
        named["footer"] = others
    return pe.EncryptionConfiguration(footer_key="footer", data_key_length_bits=256, column_keys=named)


def _leaf(field: Any) -> str:
    """The path of the values of a column in the file."""
    import pyarrow as pa

    return f"{field.name}.list.element" if pa.types.is_list(field.type) else str(field.name)
