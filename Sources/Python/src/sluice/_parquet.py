"""Parquet files, plain or with modular encryption."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ._errors import NotPermitted, UsageError

_NEVER = 365 * 24 * 3600


def write(
    path: Path,
    schema: Any,
    tables: Iterable[Any],
    provenance: Callable[[], Mapping[str, Any]],
    compression: str,
    encryption: Mapping[str, Any] | None,
) -> None:
    """Writes tables as row groups of one new file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.exists():
        raise UsageError(f"{path}: it exists; give another name or remove it")
    part = path.with_name(f".{path.name}.part")
    properties = _factory(encryption).file_encryption_properties(_connection(), _configuration(encryption)) if encryption else None
    writer = None
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{part}: another process writes it, or one was interrupted; wait, or remove it") from None
    try:
        with open(descriptor, "wb") as file:
            for table in tables:
                if writer is None:
                    # With the first row the access is recorded.
                    metadata = {**(schema.metadata or {}), b"sluice.provenance": json.dumps(provenance()).encode()}
                    schema = schema.with_metadata(metadata)
                    writer = pq.ParquetWriter(file, schema, compression=compression, encryption_properties=properties)
                if extra := set(table.column_names) - set(schema.names):
                    raise UsageError(f"column {sorted(extra)[0]} is not in every batch; write to_arrow() with pyarrow instead")
                for field in schema:
                    if field.name not in table.column_names:
                        table = table.append_column(field.name, pa.nulls(table.num_rows, field.type))
                writer.write_table(table.select(schema.names).cast(schema), row_group_size=max(1, table.num_rows))
            if writer is None:
                writer = pq.ParquetWriter(file, schema, compression=compression, encryption_properties=properties)
            writer.close()
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    except FileExistsError:
        raise UsageError(f"{path}: it exists; give another name or remove it") from None
    finally:
        part.unlink(missing_ok=True)


def parquet_decryption(keys: Mapping[str, Any]) -> Any:
    """Decryption properties for `pyarrow.parquet.read_table(…, decryption_properties=…)`, from the keys that encrypted the file."""
    import pyarrow.parquet.encryption as pe

    return _factory(keys).file_decryption_properties(_connection(), pe.DecryptionConfiguration())


def _named(keys: Mapping[str, Any]) -> dict[str, bytes]:
    named = {"footer": keys.get("footer"), **{f"column {name}": key for name, key in keys.get("columns", {}).items()}}
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


def _configuration(keys: Mapping[str, Any]) -> Any:
    import pyarrow.parquet.encryption as pe

    columns = keys.get("columns")
    options: dict[str, Any] = {"column_keys": {f"column {name}": [name] for name in columns}} if columns else {"uniform_encryption": True}
    return pe.EncryptionConfiguration(footer_key="footer", data_key_length_bits=256, **options)
