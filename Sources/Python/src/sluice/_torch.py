"""Rows for PyTorch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from torch.utils.data import IterableDataset, get_worker_info

if TYPE_CHECKING:
    from ._dataset import Dataset, Deal


class TorchRows(IterableDataset):  # type: ignore[misc]
    """Rows as dictionaries, or what `transform` makes of them; see `Dataset.to_torch`.

    `state_dict` of a worker says how many rows of which epoch it has given; with it, `load_state_dict` goes on behind them, as
    `torchdata.stateful_dataloader` does.
    """

    def __init__(
        self,
        source: Dataset,
        deal: Deal,
        columns: tuple[str, ...] | None,
        transform: Callable[[dict[str, Any]], Any] | None,
    ) -> None:
        super().__init__()
        self._source, self._deal, self._columns, self._transform = source, deal, columns, transform
        self._epoch, self._given, self._skipped = 0, 0, 0

    def set_epoch(self, epoch: int) -> None:
        """Begins an epoch: another order, where rows are shuffled."""
        self._epoch, self._given, self._skipped = epoch, 0, 0

    def state_dict(self) -> dict[str, int]:
        """The epoch, and the rows that were given in it."""
        return {"epoch": self._epoch, "given": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on where `state_dict` was taken."""
        self._epoch, self._skipped, self._given = state["epoch"], state["given"], state["given"]

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        shards = self._source.shards
        parts = self._deal.parts([shard.rows for shard in shards], self._epoch, worker, workers)
        source = itertools.chain.from_iterable(
            itertools.islice(self._source._rows(shards[place]), taken.start, None)
            if taken.stop == shards[place].rows
            else itertools.islice(self._source._rows(shards[place]), taken.start, taken.stop)
            for place, taken in parts
        )
        self._given, self._skipped = self._skipped, 0
        skipped = self._given
        for number, row in enumerate(self._deal.shuffled(source, self._epoch, self._deal.rank, worker), 1):
            if number <= skipped:
                continue
            self._given = number
            if self._columns is not None:
                row = {name: row.get(name) for name in self._columns}
            yield row if self._transform is None else self._transform(row)
