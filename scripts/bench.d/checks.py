"""The contract of schemas/orders.schema.yaml as polars expressions: what pipeline.py and the parts of scripts/bench check with."""
import polars as pl

COLUMNS = ("order_id customer_id created_at name email phone ssn ip country postal_code amount quantity score note "
           "label").split()
COUNTRIES = ["US", "CA", "GB", "DE", "FR", "ES", "IT", "NL", "SE", "JP", "AU", "BR"]
OPTIONAL = {"ssn", "note"}
TYPES = {"order_id": pl.Int64, "customer_id": pl.Int64, "amount": pl.Float64, "quantity": pl.Int32, "score": pl.Float64, "label": pl.Int8}
BOUNDS = {"customer_id": (1, None), "amount": (0, 1_000_000), "quantity": (1, 1000), "score": (-50, 50)}
PATTERNS = {
    "email": r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$",
    "phone": r"^(\+1[ .-]?)?(\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}$",
    "ssn": r"^\d{3}-\d{2}-\d{4}$", "ip": r"^(\d{1,3}\.){3}\d{1,3}$", "postal_code": r"^\d{5}(-\d{4})?$",
}
# What is looked for in free text.
PERSONAL = {
    "EMAIL": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    "CARD": r"\b[3-6]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b", "SSN": r"\b\d{3}-\d{2}-\d{4}\b",
    "PHONE": r"(?:\+1[ .-]?)?(?:\(\d{3}\) ?|\b\d{3}[ .-])\d{3}[ .-]\d{4}\b", "IP": r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
}
TEXTS = {name: pl.String for name in COLUMNS}


def read(path):
    """A file with every cell as text, so that a bad one has a reason and is no silent null; `beyond` has what a row has too much."""
    if str(path).endswith(".jsonl"):
        frame = pl.read_ndjson(path, schema=TEXTS | {"more": pl.String}).rename({"more": "beyond"})
    else:
        frame = pl.read_csv(path, has_header=False, skip_rows=1, schema=TEXTS | {"beyond": pl.String}, missing_columns="insert",
                            truncate_ragged_lines=True)
    return frame.with_row_index("row")


def check(frame):
    """The reasons against rows (row, reason), and the sound rows with types."""
    typed = {name: pl.col(name).cast(kind, strict=False) for name, kind in TYPES.items()}
    typed["created_at"] = pl.col("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", strict=False)
    frame = frame.with_columns(value.alias(f"{name} typed") for name, value in typed.items())
    faults = {f"{name} required": pl.col(name).is_null() for name in COLUMNS if name not in OPTIONAL}
    for name in typed:
        faults[f"{name} type"] = pl.col(name).is_not_null() & pl.col(f"{name} typed").is_null()
    for name, pattern in PATTERNS.items():
        faults[f"{name} pattern"] = ~pl.col(name).str.contains(pattern)
    for name, (low, high) in BOUNDS.items():
        value = pl.col(f"{name} typed")
        faults[f"{name} bounds"] = value < low if high is None else ~value.is_between(low, high)
    faults["country enum"] = ~pl.col("country").is_in(COUNTRIES)
    faults["label enum"] = ~pl.col("label typed").is_in([0, 1])
    faults["row too long"] = pl.col("beyond").is_not_null()
    faults["order_id unique"] = pl.col("order_id").is_not_null() & ~pl.col("order_id").is_first_distinct()
    marks = frame.lazy().select("row", *(fault.fill_null(False).alias(name) for name, fault in faults.items())).with_columns(
        pl.any_horizontal(*faults).alias("any")).collect()
    reasons = marks.filter("any").drop("any").unpivot(index="row", variable_name="reason").filter("value").select("row", "reason")
    sound = frame.filter(~marks["any"]).drop(*typed, "beyond").rename({f"{name} typed": name for name in typed})
    return reasons.sort("row"), sound


def spread(name):
    """The modified z-score of a column."""
    away = (pl.col(name) - pl.col(name).median()).abs()
    return 0.6745 * away / away.median()
