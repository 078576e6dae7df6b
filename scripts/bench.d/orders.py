#!/usr/bin/env python3
"""Makes the data of scripts/bench: orders as schemas/orders.schema.yaml has them, with planted truth, and a matrix with planted anomalies.

usage: orders.py FOLDER ROWS [SEED]     orders_TAG.csv and .jsonl, orders_TAG_clean.csv and .jsonl, truth_TAG_*.csv
       orders.py FOLDER matrix          matrix_1m_x10.npy (float64) and matrix_1m_y.npy (uint8)

TAG is 1m, 100k, 10k or the number of rows. One row of 200 breaks the contract in one of nine ways, one of 200 is an outlier that keeps
it, and three of 100 have personal data in their note. The clean files have the same rows before they were broken. Truth files count rows from 0:
violations (row, order_id, kind, column), outliers (row, order_id, kind), pii (row, kind, value).

The same bytes for the same seed and version of numpy. Nothing in it is real: example.* domains, 555-01xx telephone numbers, made-up card
numbers with right checksums, addresses of RFC 5737.
"""
import csv
import json
import sys
from pathlib import Path

import numpy as np

COLUMNS = ("order_id customer_id created_at name email phone ssn ip country postal_code amount quantity score note "
           "label").split()
COUNTRIES = ["US", "CA", "GB", "DE", "FR", "ES", "IT", "NL", "SE", "JP", "AU", "BR"]
GIVEN = ("Ada Ben Carla Dmitri Elena Farid Grace Hugo Ines Jonas Karin Luis Mona Nils Olga Pavel Rosa Sven Tara Umar "
         "Vera Wim Yara Zoë Jürgen Chloé").split()
FAMILY = ("Adler Brandt Costa Dvorak Ekman Fischer Greco Haddad Ivanov Jansen Keller Lindqvist Moreau Novak Okafor "
          "Petrov Quist Rossi Silva Tanaka Ueda Vega Weiss Young Zeman O'Hara Müller Núñez").split()
DOMAINS = ["example.com", "mail.example.org", "corp.example.net", "shop.example.co.uk"]
WORDS = ("parcel door bell ring neighbour porch gate code leave side window lobby desk weekend morning late early call "
         "ahead gift card blue green small large fragile heavy return label printed box taped twice corner shelf row seven "
         "lift stairs basement courier route north south bridge square lamp chair table cover cable spare part invoice copy "
         "refund asked answered waiting stock moved counted again").split()
NETWORKS = ["192.0.2", "198.51.100", "203.0.113"]
PLAIN = str.maketrans({"ë": "e", "é": "e", "ü": "u", "ú": "u", "ñ": "n", "'": None})
# Kind, column, the cell that is written, and what JSON has in its place.
FAULTS = {
    "bad_type_int": [("quantity", "three", "three"), ("customer_id", "88x", "88x"), ("quantity", "2.5", 2.5), ("label", "no", "no")],
    "bad_type_float": [("amount", "19,90 €", "19,90 €"), ("score", "n/a", "n/a"), ("amount", "1.2.3", "1.2.3")],
    "bad_timestamp": [("created_at", "2025-02-30T08:00:00Z", None), ("created_at", "last week", None), ("created_at", "04/03/2025", None)],
    "missing_required": [("email", "", None), ("amount", "", None), ("created_at", "", None), ("country", "", None)],
    "enum": [("country", "XX", None), ("country", "de", None), ("label", "7", 7)],
    "range": [("quantity", "-3", -3), ("amount", "-12.5", -12.5), ("score", "77.5", 77.5), ("customer_id", "0", 0)],
    "regex": [("email", "nobody@@nowhere", None), ("postal_code", "12a45", None), ("ssn", "123-4-5678", None), ("phone", "call me", None)],
    "duplicate_id": [("order_id", None, None)],
    "field_count": [("*", None, None)],
}


def tag_of(rows):
    return {1_000_000: "1m", 100_000: "100k", 10_000: "10k"}.get(rows, str(rows))


def card(digits):
    """Sixteen digits that begin with 4 and have a right Luhn sum."""
    known = [4, *digits[:14]]
    total = sum(sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(known))
    text = "".join(map(str, [*known, -total % 10]))
    return " ".join(text[place:place + 4] for place in range(0, 16, 4))


class Orders:
    """All random choices of a file, drawn at once; rows are put together one by one."""

    def __init__(self, rows, seed):
        self.rows, random = rows, np.random.default_rng(seed)
        whole = lambda low, high, width=None: random.integers(low, high, rows if width is None else (rows, width)).tolist()
        self.ids = (20_000_000 + 3 * random.permutation(rows)).tolist()
        self.customers = whole(1, max(2, rows // 5))
        self.times = (np.datetime64("2025-03-01T00:00:00") + random.integers(0, 250 * 86_400, rows)).astype(str).tolist()
        self.given, self.family, self.domain = whole(0, len(GIVEN)), whole(0, len(FAMILY)), whole(0, len(DOMAINS))
        self.number, self.area, self.line, self.form = whole(1, 10_000), whole(201, 990), whole(100, 200), whole(0, 3)
        self.ssn, self.has_ssn = whole(0, 10_000), (random.random(rows) < 0.2).tolist()
        self.network, self.host = whole(0, len(NETWORKS)), whole(1, 255)
        weights = np.full(len(COUNTRIES), 0.5 / (len(COUNTRIES) - 1))
        weights[0] = 0.5
        self.country = random.choice(len(COUNTRIES), rows, p=weights).tolist()
        self.postcode, self.suffix = whole(501, 99_951), whole(0, 40_000)
        # One hidden size drives amount, quantity and score, so that a row can be odd in their combination only.
        size = random.normal(0, 1, rows)
        self.amount = np.exp(3.4 + 0.85 * size).clip(0.5, 4000).round(2)
        self.quantity = 1 + random.poisson(1.5 + 1.1 * np.maximum(size + 1.6, 0))
        self.score = (0.75 * size + random.normal(0, 0.65, rows)).round(4)
        self.label = (random.random(rows) < 1 / (1 + np.exp(-1.2 * self.score))).astype(int).tolist()
        self.words, self.length = whole(0, len(WORDS), 18), whole(5, 19)
        self.style = random.choice(4, rows, p=[0.95, 0.02, 0.015, 0.015]).tolist()
        self.personal, self.digits, self.at = (random.random(rows) < 0.03).tolist(), whole(0, 10, 14), random.random(rows).tolist()
        chosen = random.permutation(rows)[:2 * (rows // 200)]
        half = len(chosen) // 2
        self.outliers = {int(row): place % 3 for place, row in enumerate(sorted(chosen[:half]))}
        self.faults = {int(row): list(FAULTS)[place % len(FAULTS)] for place, row in enumerate(chosen[half:])}
        self.choice = whole(0, 1 << 16)
        for row, kind in self.outliers.items():
            draw = random.random(3)
            if kind == 0:  # far out in all three
                values = 9_000 + 70_000 * draw[0], 70 + 700 * draw[1], 6 + 5 * draw[2]
            elif kind == 1:  # much money for one piece, and a low score
                values = 450 + 900 * draw[0], 1, -3 - 1.5 * draw[2]
            else:  # each within reach
                values = 700 + 1_500 * draw[0], 15 + 12 * draw[1], 3.2 + draw[2]
            self.amount[row], self.quantity[row], self.score[row] = values

    def security_number(self, row):
        number = self.ssn[row]
        return f"{1 + number % 665:03}-{1 + number % 99:02}-{1 + number % 9_999:04}"

    def secret(self, row):
        """Personal data for a note: its kind and what it is."""
        kind = ("email", "phone", "card")[self.choice[row] % 3]
        if kind == "email":
            return kind, f"{WORDS[self.words[row][0]]}{self.number[row]}@{DOMAINS[self.domain[row]]}"
        if kind == "phone":
            return kind, f"({self.area[row]}) 555-0{self.line[row]}"
        return kind, card(self.digits[row])

    def row(self, row):
        """A sound row as JSON has it, and the personal data in its note."""
        given, family = GIVEN[self.given[row]], FAMILY[self.family[row]]
        words, secret = [WORDS[word] for word in self.words[row][:self.length[row]]], None
        if self.style[row] == 1:
            words[1] += ","
        elif self.style[row] == 2:
            words[0] = f'"{words[0]}"'
        elif self.style[row] == 3:
            words[2] = "\n" + words[2]
        # Behind the marks, so that none of them can stand inside of it.
        if self.personal[row]:
            secret = self.secret(row)
            words.insert(3 + int(self.at[row] * (len(words) - 3)), secret[1])
        area, line = self.area[row], self.line[row]
        phone = (f"({area}) 555-0{line}", f"{area}-555-0{line}", f"+1 {area} 555 0{line}")[self.form[row]]
        postcode = f"{self.postcode[row]:05}" + (f"-{self.suffix[row]:04}" if self.suffix[row] < 10_000 else "")
        return {
            "order_id": self.ids[row], "customer_id": self.customers[row], "created_at": self.times[row] + "Z",
            "name": f"{given} {family}",
            "email": f"{given}.{family}{self.number[row]}@{DOMAINS[self.domain[row]]}".lower().translate(PLAIN), "phone": phone,
            "ssn": self.security_number(row) if self.has_ssn[row] else None,
            "ip": f"{NETWORKS[self.network[row]]}.{self.host[row]}", "country": COUNTRIES[self.country[row]], "postal_code": postcode,
            "amount": round(float(self.amount[row]), 2), "quantity": int(self.quantity[row]), "score": round(float(self.score[row]), 4),
            "note": " ".join(words), "label": self.label[row],
        }, secret


def cells(document):
    """A document as the cells of a CSV row."""
    made = {"amount": f"{document['amount']:.2f}", "score": f"{document['score']:.4f}", "ssn": document["ssn"] or ""}
    return [str(made.get(column, document[column])) for column in COLUMNS]


def broken(orders, row, kind, document, values):
    """The row against the contract: document, cells and column."""
    choices = FAULTS[kind]
    column, cell, value = choices[orders.choice[row] % len(choices)]
    document, values = dict(document), list(values)
    if kind == "field_count":
        if orders.choice[row] % 2:
            values.append("more")
            document["more"] = "more"
        else:
            values.pop()
            del document["label"]
        return document, values, column
    if kind == "duplicate_id":
        # A sound row before it; the first one is none where nothing is before it.
        other = next((each for each in range(row - 1, -1, -1) if each not in orders.faults), None)
        cell = value = orders.ids[other] if other is not None else 0
    elif value is None and kind != "missing_required":
        value = cell
    document[column], values[COLUMNS.index(column)] = value, str(cell)
    return document, values, column


def write(folder, rows, seed):
    orders, tag = Orders(rows, seed), tag_of(rows)
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"orders_{tag}.csv", f"orders_{tag}.jsonl", f"orders_{tag}_clean.csv", f"orders_{tag}_clean.jsonl"]
    names += [f"truth_{tag}_{kind}.csv" for kind in ("violations", "outliers", "pii")]
    files = [(folder / (name + ".part")).open("w", encoding="utf-8", newline="") for name in names]
    table, lines, clean, clean_lines, *truth = files
    table, clean, violations, outliers, personal = (csv.writer(file, lineterminator="\n") for file in (table, clean, *truth))
    table.writerow(COLUMNS)
    clean.writerow(COLUMNS)
    violations.writerow(["row", "order_id", "kind", "column"])
    outliers.writerow(["row", "order_id", "kind"])
    personal.writerow(["row", "kind", "value"])
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for row in range(rows):
        document, secret = orders.row(row)
        values = cells(document)
        clean.writerow(values)
        text = encode(document) + "\n"
        clean_lines.write(text)
        if secret:
            personal.writerow([row, *secret])
        if row in orders.outliers:
            outliers.writerow([row, document["order_id"], orders.outliers[row]])
        if kind := orders.faults.get(row):
            document, values, column = broken(orders, row, kind, document, values)
            violations.writerow([row, document["order_id"], kind, column])
            text = encode(document) + "\n"
        table.writerow(values)
        lines.write(text)
    for file, name in zip(files, names):
        file.close()
        (folder / (name + ".part")).rename(folder / name)


def matrix(folder, rows=1_000_000, width=10, seed=11):
    """Two clouds of correlated columns; one row of 100 is an anomaly of one of three kinds."""
    random = np.random.default_rng(seed)
    data = random.normal(size=(rows, width)) @ (np.eye(width) + 0.3 * random.normal(size=(width, width)))
    data[random.random(rows) < 0.4] += 2 * random.normal(size=width)
    far, few, anywhere = np.array_split(random.permutation(rows)[:rows // 100], 3)
    data[far] += random.choice([-1, 1], (len(far), width)) * random.uniform(1.5, 4, (len(far), width))
    for row in few:  # far out in three columns
        data[row, random.choice(width, 3, replace=False)] += random.choice([-1, 1], 3) * random.uniform(4, 9, 3)
    data[anywhere] = random.uniform(0.6 * data.min(0), 0.6 * data.max(0), (len(anywhere), width))
    truth = np.zeros(rows, np.uint8)
    truth[np.concatenate([far, few, anywhere])] = 1
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "matrix_1m_y.npy", truth)
    np.save(folder / "matrix_1m_x10.npy", data)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if sys.argv[2] == "matrix":
        matrix(Path(sys.argv[1]))
    else:
        write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 20261201)
