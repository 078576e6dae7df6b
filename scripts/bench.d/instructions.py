#!/usr/bin/env python3
"""Counts the instructions a row that sluice needs, and compares them with the budget in scripts/bench.d/budget.json.

usage: instructions.py SLUICE ORDERS.csv ORDERS.jsonl CONTRACT [--write]

Each command runs once under callgrind, with one worker, in a new store where it needs one. Counted are the instructions of the program and
its libraries, except those of libcrypto, whose code depends on the processor. They do not depend on the load of the machine. What a new store
draws from its secret changes `ingest` by up to 1.1 % (its budget is the mean of two runs).

A command outside 3 % of its budget is named, and the exit code is 1: above it, find what costs, or raise the budget in a commit that says
why; below it, lower the budget, so that the gain is kept. --write writes what was counted as the new budget. Exit code 78 when the data,
the version of valgrind or the list of commands is not that of the budget.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BUDGET = Path(__file__).resolve().parent / "budget.json"
TOLERANCE = 0.03


def commands(csv, lines, contract):
    """Name, whether it needs a store, arguments."""
    return [
        ("validate, CSV", False, ["validate", csv, "--schema", contract]),
        ("validate, JSON Lines", False, ["validate", lines, "--schema", contract]),
        ("scan, CSV", False, ["scan", csv]),
        ("ingest --dry-run, CSV", True, ["ingest", csv, "--schema", contract, "--dry-run"]),
        ("ingest, CSV", True, ["ingest", csv, "--schema", contract]),
        ("ingest, JSON Lines", True, ["ingest", lines, "--schema", contract]),
    ]


def own_instructions(path):
    """The instructions in a callgrind file, without those of libcrypto.

    Format: https://valgrind.org/docs/manual/cl-format.html. The line behind `calls=` is the cost of the call, which is counted where it
    is spent. Names are given once and repeated by number.
    """
    names, total, counts, is_call = {}, 0, True, False
    cost = re.compile(r"[+\-*\d]")
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("ob="):
                number, _, name = line[3:].strip().partition(" ")
                names.setdefault(number, name)
                counts = "libcrypto" not in names[number]
            elif line.startswith("cob="):
                number, _, name = line[4:].strip().partition(" ")
                names.setdefault(number, name)
            elif line.startswith("calls="):
                is_call = True
            elif cost.match(line):
                if counts and not is_call:
                    total += int(line.split()[1])
                is_call = False
    return total


def count(sluice, arguments, needs_store, scratch):
    folder = Path(tempfile.mkdtemp(dir=scratch))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE", "XDG_"))}
    environment.update(HOME=str(folder), XDG_CONFIG_HOME=str(folder / "config"))
    run = lambda words: subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if needs_store:
        run([sluice, "init", "store"])
        arguments = [*arguments, "--store", "store", "--dataset", "orders"]
    done = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=counted", sluice, *arguments, "--jobs", "1"])
    # 1: rows are rejected, as planted, or the batch is held.
    if done.returncode not in (0, 1) or not (folder / "counted").exists():
        sys.exit(f"instructions: sluice {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-400:]}")
    return own_instructions(folder / "counted")


def main():
    if len(sys.argv) not in (5, 6) or sys.argv[5:] not in ([], ["--write"]):
        sys.exit("usage: instructions.py SLUICE ORDERS.csv ORDERS.jsonl CONTRACT [--write]")
    if not shutil.which("valgrind"):
        sys.exit("instructions: valgrind is missing; apt-get install valgrind")
    sluice, csv, lines, contract = (os.path.realpath(word) for word in sys.argv[1:5])
    rows = sum(1 for _ in open(lines, "rb"))
    basis = {
        "rows": rows, "valgrind": subprocess.run(["valgrind", "--version"], capture_output=True, text=True).stdout.strip(),
        "data": hashlib.sha256(Path(csv).read_bytes() + Path(lines).read_bytes() + Path(contract).read_bytes()).hexdigest(),
    }
    budget = json.loads(BUDGET.read_text()) if BUDGET.exists() else None
    if "--write" not in sys.argv:
        different = [key for key in basis if not budget or budget.get(key) != basis[key]]
        if different:
            print(f"instructions: the budget was made with another {', '.join(different)}: nothing can be compared", file=sys.stderr)
            sys.exit(78)
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        # callgrind reads the symbols of a release for minutes, and needs none of them.
        bare = os.path.join(scratch, "sluice")
        subprocess.run(["strip", "-o", bare, sluice], check=True)
        for name, needs_store, arguments in commands(csv, lines, contract):
            found[name] = round(count(bare, arguments, needs_store, scratch) / rows)
            print(f"instructions: {name}: {found[name]:,} a row", file=sys.stderr, flush=True)
    if "--write" in sys.argv:
        BUDGET.write_text(json.dumps({**basis, "instructions a row": found}, indent=1) + "\n")
        return
    held = budget["instructions a row"]
    if list(held) != list(found):
        print("instructions: the budget has other commands", file=sys.stderr)
        sys.exit(78)
    print("| command | instructions a row | budget | ratio |\n|---|---|---|---|")
    for name, number in found.items():
        print(f"| {name} | {number:,} | {held[name]:,} | {number / held[name]:.3f} |")
    outside = [name for name, number in found.items() if abs(number / held[name] - 1) > TOLERANCE]
    for name in outside:
        print(f"instructions: {name} is {'above' if found[name] > held[name] else 'below'} its budget by more than 3 %", file=sys.stderr)
    sys.exit(1 if outside else 0)


main()
