"""Stores made by the program itself: `$SLUICE`, or the debug build."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAMPLES, SCHEMAS = ROOT / "samples", ROOT / "schemas"


PROGRAM = os.environ.get("SLUICE") or str(ROOT / ".build/debug/sluice")
if not Path(PROGRAM).is_file():
    pytest.exit(f"{PROGRAM}: build sluice first, or name it with SLUICE", 70)


def sluice(*arguments: str | Path, code: int | None = 0) -> str:
    """Runs the program; its standard output."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout


def ingest(store: Path, file: Path, dataset: str, schema: Path, *more: str) -> None:
    sluice("ingest", file, "--store", store, "--dataset", dataset, "--schema", schema, *more)


def vkey(store: Path) -> str:
    return next(word for word in sluice("keys", "list", "--store", store).split() if word.count("+") >= 2)


@pytest.fixture(scope="session", autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Configuration and caches of this run only."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("SLUICE", PROGRAM)
        yield


@pytest.fixture(scope="session")
def _samples(tmp_path_factory: pytest.TempPathFactory, _apart: None) -> Path:
    store = tmp_path_factory.mktemp("samples") / "store"
    sluice("init", store)
    for dataset, schema, files in (
        ("orders", "orders", ("orders-good.csv", "orders-good-2.csv")),
        ("tickets", "tickets", ("tickets-good.jsonl", "tickets-good-2.jsonl")),
        ("sensors", "sensors", ("sensors-good.csv",)),
    ):
        for file in files:
            ingest(store, SAMPLES / file, dataset, SCHEMAS / f"{schema}.schema.yaml")
    return store


@pytest.fixture
def store(_samples: Path, tmp_path: Path) -> Path:
    """A copy of a store with the samples' good batches."""
    copy = tmp_path / "store"
    shutil.copytree(_samples, copy)
    return copy


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Makes a store of one batch from a contract and a text."""

    def make(contract: str, text: str | bytes, name: str = "data.csv") -> Path:
        store = tmp_path / "made"
        if not store.exists():
            sluice("init", store)
        schema, file = tmp_path / "data.schema.yaml", tmp_path / name
        schema.write_text(contract)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        ingest(store, file, "data", schema)
        return store

    return make
