#!/usr/bin/env python3
"""The rival of scripts/bench: what a careful engineer builds of the fastest Python packages to do the work of `sluice ingest`.

usage: pipeline.py INPUT FOLDER [--truth PREFIX]

Digest, reading, checks with reasons, modified z-scores, isolation forest, masking, CSV, AES-256-GCM in chunks of 1 MiB, digest of what
was sealed, and a record in SQLite. Threads: $TH. Prints the seconds of each stage in one line, then what it found; with --truth also how much of
PREFIX_violations.csv, PREFIX_outliers.csv and PREFIX_pii.csv.
"""
import argparse
import hashlib
import io
import os
import sqlite3
import time

STARTED = time.perf_counter()
import joblib
import numpy as np
import polars as pl
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sklearn.ensemble import IsolationForest

import checks

CHUNK = 1 << 20
NUMBERS = ["amount", "quantity", "score"]


class Clock:
    """Seconds of each stage."""

    def __init__(self):
        self.stages, self.last = {"imports": time.perf_counter() - STARTED}, time.perf_counter()

    def mark(self, stage):
        now = time.perf_counter()
        self.stages[stage], self.last = now - self.last, now


def forest(sound, threads):
    """Scores, the higher the odder; fitting has 256 rows a tree and is not worth threads."""
    data = sound.select(pl.col(NUMBERS).cast(pl.Float32)).to_numpy()
    model = IsolationForest(n_estimators=100, max_samples=256, random_state=1, n_jobs=1).fit(data)
    with joblib.parallel_config("threading", n_jobs=threads):
        return -model.score_samples(data)


def mask(sound):
    """Personal data replaced: in the note by what is found, in declared columns by what they are."""
    note = pl.col("note")
    for kind, pattern in checks.PERSONAL.items():
        note = note.str.replace_all(pattern, f"<{kind}>")
    return sound.lazy().with_columns(
        note, pl.lit("<PERSON>").alias("name"), pl.concat_str(pl.lit("***@"), pl.col("email").str.split("@").list.last()).alias("email"),
        pl.concat_str(pl.lit("********"), pl.col("phone").str.tail(4)).alias("phone"),
        pl.when(pl.col("ssn").is_not_null()).then(pl.lit("<SSN>")).alias("ssn"),
        pl.col("ip").str.replace(r"\.\d+$", ".0")).collect()


def seal(plain, path, context):
    """Writes chunks of ciphertext and tag; the digest of the file. One buffer: a new one for each chunk costs page faults."""
    key, salt, digest = os.urandom(32), os.urandom(4), hashlib.sha256()
    buffer = bytearray(CHUNK + 16)
    view = memoryview(buffer)
    with open(path, "wb") as file:
        file.write(salt)
        digest.update(salt)
        for number, start in enumerate(range(0, len(plain), CHUNK)):
            cipher = Cipher(algorithms.AES256(key), modes.GCM(salt + number.to_bytes(8, "big"))).encryptor()
            cipher.authenticate_additional_data(context)
            size = cipher.update_into(plain[start:start + CHUNK], buffer)
            cipher.finalize()
            buffer[size:size + 16] = cipher.tag
            file.write(view[:size + 16])
            digest.update(view[:size + 16])
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def record(folder, batch, shard, reasons):
    path = os.path.join(folder, "record.sqlite")
    for name in (path, path + "-wal", path + "-shm"):
        if os.path.exists(name):
            os.unlink(name)
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode = wal")
    base.execute("CREATE TABLE batch (path, sha256, rows, accepted)")
    base.execute("CREATE TABLE shard (path, sha256)")
    base.execute("CREATE TABLE rejected (row, reason)")
    base.execute("BEGIN")
    base.execute("INSERT INTO batch VALUES (?, ?, ?, ?)", batch)
    base.execute("INSERT INTO shard VALUES (?, ?)", shard)
    base.executemany("INSERT INTO rejected VALUES (?, ?)", reasons.iter_rows())
    base.execute("COMMIT")
    base.close()


def compare(prefix, reasons, sound, masked, scores):
    from sklearn.metrics import roc_auc_score

    def rows(name):
        return set(pl.read_csv(f"{prefix}_{name}.csv")["row"].to_list())

    planted, found = rows("violations"), set(reasons["row"].to_list())
    print(f"violations: truth {len(planted)} found {len(found & planted)} false {len(found - planted)}")
    accepted = sound["row"].to_numpy()
    print(f"outliers: AUROC {roc_auc_score(np.isin(accepted, list(rows('outliers'))), scores):.4f}")
    personal, changed = rows("pii") & set(accepted.tolist()), set(accepted[(sound["note"] != masked["note"]).to_numpy()].tolist())
    print(f"personal data: truth {len(personal)} found {len(changed & personal)} false {len(changed - personal)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("folder")
    parser.add_argument("--truth")
    given = parser.parse_args()
    os.makedirs(given.folder, exist_ok=True)
    clock = Clock()
    with open(given.input, "rb") as file:
        source = hashlib.file_digest(file, "sha256").hexdigest()
    clock.mark("sha256_in")
    frame = checks.read(given.input)
    count = frame.height
    clock.mark("read")
    reasons, sound = checks.check(frame)
    del frame
    clock.mark("validate")
    deviation = sound.select(pl.max_horizontal(*map(checks.spread, NUMBERS)))
    far = int((deviation.to_series() > 3.5).sum())
    clock.mark("mad")
    scores = forest(sound, int(os.environ.get("TH", "2")))
    odd = scores > np.quantile(scores, 0.995)
    clock.mark("iforest")
    masked = mask(sound)
    clock.mark("mask")
    text = io.BytesIO()
    masked.with_columns(pl.Series("outlier", odd)).drop("row").write_csv(text)
    clock.mark("serialise")
    shard = os.path.join(given.folder, "shard.bin")
    sealed = seal(text.getbuffer(), shard, source.encode())
    clock.mark("seal")
    record(given.folder, (given.input, source, count, sound.height), (shard, sealed), reasons)
    clock.mark("record")
    print(" ".join(f"{stage}={seconds:.3f}" for stage, seconds in clock.stages.items()))
    print(f"rows {count} rejected {reasons['row'].n_unique()} deviated {far} odd {int(odd.sum())}")
    if given.truth:
        compare(given.truth, reasons, sound, masked, scores)


if __name__ == "__main__":
    main()
