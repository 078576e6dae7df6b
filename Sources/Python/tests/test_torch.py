"""Rows for training: each row goes to one worker, and again the same way."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import pytest
from conftest import vkey

import sluice as package
from sluice._dataset import Deal


def taken(counts: list[int], world: int, workers: int, **more: object) -> list[list[tuple[int, int]]]:
    found = []
    for rank, worker in itertools.product(range(world), range(workers)):
        deal = Deal(rank=rank, world=world, **{"shuffle": 0, "seed": 1, "drop_last": False, **more})  # type: ignore[arg-type]
        found.append([(shard, row) for shard, rows in deal.parts(counts, 3, worker, workers) for row in rows])
    return found


@pytest.mark.parametrize("counts", [[5, 3, 9], [1], [0, 7, 0], [100, 1, 1, 50], []])
@pytest.mark.parametrize(("world", "workers"), [(1, 1), (2, 1), (3, 4), (8, 8)])
@pytest.mark.parametrize("shuffle", [0, 10])
def test_each_row_once_and_evenly(counts: list[int], world: int, workers: int, shuffle: int) -> None:
    parts = taken(counts, world, workers, shuffle=shuffle)
    everything = [(shard, row) for shard, count in enumerate(counts) for row in range(count)]
    assert sorted(itertools.chain(*parts)) == everything
    sizes = {len(part) for part in parts}
    assert max(sizes) - min(sizes) <= 1
    dropped = taken(counts, world, workers, shuffle=shuffle, drop_last=True)
    assert {len(part) for part in dropped} == {sum(counts) // (world * workers)}


def test_shuffle() -> None:
    deal = Deal(rank=0, world=1, shuffle=50, seed=1, drop_last=False)
    once = list(deal.shuffled(iter(range(1000)), 1))
    assert once == list(deal.shuffled(iter(range(1000)), 1)) != list(deal.shuffled(iter(range(1000)), 2))
    assert sorted(once) == list(range(1000)) != once
    orders = {tuple(shard for shard, _ in deal.parts([5] * 20, epoch, 0, 1)) for epoch in range(5)}
    assert len(orders) == 5


def test_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a worker goes on, with or without torch."""
    import sys
    import types
    from types import SimpleNamespace

    if "torch" not in sys.modules and importlib.util.find_spec("torch") is None:
        data = types.ModuleType("torch.utils.data")
        data.IterableDataset, data.get_worker_info = object, lambda: None  # type: ignore[attr-defined]
        for name, module in (("torch", types.ModuleType("torch")), ("torch.utils", types.ModuleType("torch.utils")), ("torch.utils.data", data)):
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.delitem(sys.modules, "sluice._torch", raising=False)
    from sluice._torch import TorchRows

    shards = [SimpleNamespace(rows=50), SimpleNamespace(rows=50)]
    source = SimpleNamespace(shards=shards, _rows=lambda shard: ({"n": shards.index(shard) * 50 + at} for at in range(50)))
    deal = Deal(rank=0, world=1, shuffle=10, seed=1, drop_last=False)

    def rows() -> TorchRows:
        return TorchRows(source, deal, None, None)  # type: ignore[arg-type]

    every = [row["n"] for row in rows()]
    begun = rows()
    some = [row["n"] for row in itertools.islice(begun, 30)]
    state = begun.state_dict()
    again = rows()
    again.load_state_dict(state)
    # Saved once more before a row is asked for, and after the first is.
    assert again.state_dict() == state == {"epoch": 0, "given": 30}
    iterator = iter(again)
    more = [next(iterator)["n"]]
    assert again.state_dict() == {"epoch": 0, "given": 31}
    assert some + more + [row["n"] for row in iterator] == every
    again.set_epoch(1)
    assert again.state_dict() == {"epoch": 1, "given": 0}
    monkeypatch.delitem(sys.modules, "sluice._torch")


def test_loader(store: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    dataset = package.open(store, "orders", vkey=vkey(store), reason="test")
    every = sorted(row["order_id"] for row in dataset)
    found = []
    for rank in range(2):
        rows = dataset.to_torch(rank, 2, shuffle=100, columns=["order_id", "amount"])
        loader = torch.utils.data.DataLoader(rows, batch_size=32, num_workers=2)
        found += [int(one) for batch in loader for one in batch["order_id"]]
    assert sorted(found) == every
    rows = dataset.to_torch(shuffle=100, transform=lambda row: row["order_id"])
    rows.set_epoch(1)
    first = list(rows)
    rows.set_epoch(2)
    assert list(rows) != first
    rows.set_epoch(1)
    some = list(itertools.islice(rows, 300))
    state = rows.state_dict()
    rest = dataset.to_torch(shuffle=100, transform=lambda row: row["order_id"])
    rest.load_state_dict(state)
    assert some + list(rest) == first
    with pytest.raises(package.UsageError):
        dataset.to_torch(2, 2)
