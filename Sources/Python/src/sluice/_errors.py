"""Errors, with the exit codes and the voice of the command line."""

from __future__ import annotations

import os
import sys
import warnings


class SluiceError(Exception):
    """What happened, where, and what helps. `exit_code` is the one that `sluice` ends with for the same cause."""

    exit_code = 70


class Damaged(SluiceError):
    """A file, the record or a checkpoint is not what was signed."""

    exit_code = 1


class UsageError(SluiceError):
    """The caller asked for something that does not exist or contradicts itself."""

    exit_code = 64


class UnreadableData(SluiceError):
    """A value does not have the type that the contract declares."""

    exit_code = 65


class NotFound(SluiceError):
    """A store, a dataset or a file is not there, or was removed lawfully."""

    exit_code = 66


class TryAgain(SluiceError):
    """Something is busy, full or unreachable for now."""

    exit_code = 75


class NotPermitted(SluiceError):
    """A key or a right is missing."""

    exit_code = 77


class MissingPackage(SluiceError, ImportError):
    """An optional package is not installed."""

    exit_code = 69


class NotRecordedWarning(UserWarning):
    """Data is opened, and the ledger does not know of it."""


class UnpinnedWarning(UserWarning):
    """The key that the ledger is checked with comes from the store itself, which proves nothing about who wrote it."""


class CacheWarning(UserWarning):
    """What was verified before is not known, so that an older copy of the ledger may go unnoticed."""


def warn(text: str, category: type[Warning]) -> None:
    """Warns at the line that called this package."""
    package, level, frame = os.path.dirname(__file__) + os.sep, 1, sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(package):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    warnings.warn(text, category, stacklevel=level)


def error_for(exit_code: int, text: str) -> SluiceError:
    """The error for an exit code of `sluice` and its message."""
    for kind in (Damaged, UsageError, UnreadableData, NotFound, TryAgain, NotPermitted):
        if kind.exit_code == exit_code:
            return kind(text)
    return SluiceError(text)
