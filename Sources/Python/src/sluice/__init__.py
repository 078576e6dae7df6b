"""Training data from a Sluice store: typed, verified against the signed ledger, and recorded there.

    import sluice
    orders = sluice.open("store", dataset="orders", reason="training v7")
    frame = orders.to_pandas()
"""

from __future__ import annotations

from ._contract import KINDS, Column
from ._dataset import UNPINNED, Dataset
from ._errors import (
    CacheWarning,
    Damaged,
    MissingPackage,
    NotFound,
    NotPermitted,
    NotRecordedWarning,
    SluiceError,
    TryAgain,
    UnpinnedWarning,
    UnreadableData,
    UsageError,
)
from ._parquet import parquet_decryption
from ._record import Batch, Shard

open = Dataset
__version__ = "0.1.0"
__all__ = [
    "KINDS",
    "UNPINNED",
    "Batch",
    "CacheWarning",
    "Column",
    "Damaged",
    "Dataset",
    "MissingPackage",
    "NotFound",
    "NotPermitted",
    "NotRecordedWarning",
    "Shard",
    "SluiceError",
    "TryAgain",
    "UnpinnedWarning",
    "UnreadableData",
    "UsageError",
    "open",
    "parquet_decryption",
]
