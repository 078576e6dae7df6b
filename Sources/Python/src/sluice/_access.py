"""Data keys: by the gate itself, which records the access first, or from key files, which nobody records."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ._errors import Damaged, NotPermitted, UsageError, error_for
from ._record import Shard

_BEGIN = "sluice-kek-v1:"


def program(binary: str | os.PathLike[str] | None) -> str:
    """The path of the program `sluice`: as given, by `$SLUICE`, or on `$PATH`.

    Raises:
        NotPermitted: it is not there.
    """
    named = binary or os.environ.get("SLUICE") or "sluice"
    found = program_at(named)
    if found is None:
        raise NotPermitted(
            f"{os.fspath(named)}: the program is not there, and without it no access is recorded; install sluice, name it with binary= or "
            '$SLUICE, or open unrecorded with record="never"'
        )
    return found


def program_at(binary: str | os.PathLike[str] | None) -> str | None:
    """The path of the program `sluice`; None where it is not there."""
    return shutil.which(binary or os.environ.get("SLUICE") or "sluice")


def recorded_keys(
    store: Path, shards: Sequence[Shard], reason: str, binary: str | os.PathLike[str] | None
) -> dict[str, bytes]:
    """Data keys by the SHA-256 of their files. The ledger has an entry `shard.opened` before the first key is given out.

    Raises:
        SluiceError: what `sluice shard unwrap` said, by its exit code.
    """
    asked = "".join(f"{one.sha256}\n" for one in shards)
    command = [program(binary), "shard", "unwrap", "--digests", "-", f"--reason={reason}", f"--store={store}"]
    done = subprocess.run(command, input=asked.encode(), capture_output=True, check=False)
    if done.returncode:
        text = done.stderr.decode("utf-8", "replace").strip().removeprefix("sluice: ")
        raise error_for(done.returncode, text or f"sluice shard unwrap ended with {done.returncode}")
    keys = {}
    for line in done.stdout.splitlines():
        # Not from the error, which would hold the line.
        with contextlib.suppress(ValueError, KeyError, TypeError):
            document = json.loads(line)
            keys[document["file_sha256"]] = base64.b64decode(document["data_key"], validate=True)
    if missing := [one for one in shards if one.sha256 not in keys]:
        raise NotPermitted(
            f"{command[0]}: it gave no key for {missing[0].path}, and no error; is it the program sluice, of a version with sluice shard unwrap?"
        )
    return keys


def wrapping_keys(given: Mapping[str, bytes] | Iterable[str | os.PathLike[str]] | None, store: Path) -> dict[str, bytes]:
    """Wrapping keys by name: as given, from key files (`NAME.kek`), or those of the store."""
    if isinstance(given, Mapping):
        for name, key in given.items():
            if len(key) != 32:
                raise UsageError(f"keys: {name} has {len(key)} bytes, not 32")
        return dict(given)
    paths = sorted((store / "keys").glob("*.kek")) if given is None else [Path(one) for one in given]
    return {path.name.removesuffix(".kek"): _key_in(path) for path in paths}


def _key_in(path: Path) -> bytes:
    try:
        text = path.read_text()
    except OSError as error:
        raise NotPermitted(f"{path}: {error.strerror}") from None
    for line in text.splitlines():
        if line.startswith(_BEGIN):
            try:
                key = base64.b64decode(line.removeprefix(_BEGIN).strip() + "==", altchars=b"-_", validate=False)
            except binascii.Error:
                break
            if len(key) == 32:
                return key
    raise Damaged(f"{path}: it is no key file of sluice, or was changed")
