"""`sluice lineage export`, read by the public validator of each format. Each must also refuse a document that was changed for the worse."""

from __future__ import annotations

import base64
import copy
import csv
import io
import json
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from conftest import PROGRAM, ROOT, SAMPLES, SCHEMAS, ingest, sluice

SPEC = ROOT.parent / "shared/suites/openlineage"
"""The schemas of OpenLineage 2-0-2 and its facets, which are not part of this project."""


@pytest.fixture(scope="module")
def events_store(tmp_path_factory: pytest.TempPathFactory, _apart: None) -> Path:
    """A store with accepted, held, released and failed batches, and files that were wrapped anew."""
    store = tmp_path_factory.mktemp("exports") / "store"
    sluice("init", store)
    orders, sensors = SCHEMAS / "orders.schema.yaml", SCHEMAS / "sensors.schema.yaml"
    ingest(store, SAMPLES / "orders-good.csv", "orders", orders)
    sluice("ingest", SAMPLES / "orders-dirty.csv", "--store", store, "--dataset", "orders", "--schema", orders, code=1)
    ingest(store, SAMPLES / "sensors-good.csv", "sensors", sensors)
    sluice(
        "ingest", SAMPLES / "sensors-poisoned.csv", "--store", store, "--dataset", "sensors", "--schema", sensors, code=1
    )
    sluice("review", "release", "latest", "--store", store, "--reason", "looked at by the data team")
    ingest(store, SAMPLES / "tickets-good.jsonl", "tickets", SCHEMAS / "tickets.schema.yaml")
    inbox = store / "inbox/example"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "broken.csv").write_bytes(b"\x1f\x8b\x08\x00 this is no gzip stream")
    sluice("watch", "--once", "--store", store, code=1)
    sluice("keys", "generate", "--kind", "signing", "--name", "attest", "--store", store)
    sluice("keys", "rotate", "main", "--store", store)
    sluice("keys", "rewrap", "--from", "main", "--store", store)
    return store


def export(store: Path, format: str, *more: str) -> str:
    return sluice("lineage", "export", "--format", format, "--store", store, *more)


def entries(store: Path) -> list[dict[str, Any]]:
    import sqlite3

    with sqlite3.connect(f"file:{store}/ledger.sqlite?mode=ro", uri=True) as ledger:
        return [json.loads(body) for (body,) in ledger.execute("select body from entry order by seq")]


def of_kind(store: Path, kind: str) -> list[dict[str, Any]]:
    return [body for body in entries(store) if body["kind"] == kind]


# OpenLineage


class Specification:
    """The published schemas."""

    def __init__(self) -> None:
        from jsonschema import Draft202012Validator, FormatChecker
        from referencing import Registry, Resource

        documents = [json.loads(path.read_text()) for path in [SPEC / "OpenLineage.json", *SPEC.glob("facets/*.json")]]
        registry = Registry().with_resources([(one["$id"], Resource.from_contents(one)) for one in documents])

        def against(name: str) -> Draft202012Validator:
            return Draft202012Validator({"$ref": name}, registry=registry, format_checker=FormatChecker())

        self.against = against
        self.known = {one["$id"] for one in documents}

    def errors(self, event: dict[str, Any]) -> list[str]:
        """What is wrong with an event and its facets."""
        found = list(self.against("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent").iter_errors(event))
        groups = [event["run"]["facets"], event["job"]["facets"]]
        for one in event["inputs"] + event["outputs"]:
            groups += [one.get(name, {}) for name in ("facets", "inputFacets", "outputFacets")]
        for name, body in ((name, body) for group in groups for name, body in group.items()):
            schema = body["_schemaURL"]
            if schema.startswith("https://openlineage.io/"):
                assert schema.split("#")[0] in self.known, schema
                # By the document, which says under which name the facet stands, and by its definition.
                found += self.against(schema.split("#")[0]).iter_errors({name: body})
                found += self.against(schema).iter_errors(body)
        return [error.message for error in found]


@pytest.mark.skipif(not SPEC.is_dir(), reason="the schemas of OpenLineage are not here")
def test_openlineage_by_its_schemas(events_store: Path) -> None:
    specification = Specification()
    events = [json.loads(line) for line in export(events_store, "openlineage").splitlines()]
    assert [specification.errors(event) for event in events] == [[] for _ in events]
    for spoil in (
        lambda event: event["run"].update(runId="one"),
        lambda event: event["job"].pop("name"),
        lambda event: event["outputs"][0]["facets"]["columnLineage"].pop("fields"),
        lambda event: event["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"][0].pop("success"),
        lambda event: event["outputs"][0]["outputFacets"]["outputStatistics"].update(rowCount="many"),
    ):
        event = copy.deepcopy(next(event for event in events if event["outputs"] and event["eventType"] == "COMPLETE"))
        spoil(event)
        assert specification.errors(event)


def test_openlineage_says_what_the_ledger_says(events_store: Path) -> None:
    events = [json.loads(line) for line in export(events_store, "openlineage").splitlines()]
    judged = {body["batch"]: body for body in of_kind(events_store, "batch.judged")}
    ends = {event["run"]["runId"]: event for event in events if event["eventType"] == "COMPLETE"}
    assert set(ends) == set(judged) and len(judged) == 6
    assert sum(event["eventType"] == "START" for event in events) == len(events) // 2
    for batch, event in ends.items():
        body = judged[batch]
        gate = event["run"]["facets"]["sluice_gate"]
        assert (gate["verdict"], gate["decisionSha256"]) == (body["verdict"], body["decision_sha256"])
        recorded = entries(events_store)
        assert [recorded[place]["batch"] for place in gate["entries"]] == [batch] * len(gate["entries"])
        assertions = event["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
        blocked = [one["assertion"] for one in assertions if one["severity"] == "error" and not one["success"]]
        assert bool(blocked) == (body["verdict"] == "held")
        outputs = {one["name"].split("/")[0]: one for one in event["outputs"]}
        assert ("accepted" in outputs) == (body["verdict"] == "accepted")
    first = next(event for event in ends.values() if event["job"]["name"] == "gate.orders")
    accepted = next(one for one in first["outputs"] if one["name"] == "accepted/orders")
    lineage = accepted["facets"]["columnLineage"]["fields"]
    masking = {name: one["inputFields"][0]["transformations"][0]["masking"] for name, one in lineage.items()}
    assert masking["email"] and masking["name"] and not masking["quantity"]
    types = {field["name"]: field["type"] for field in accepted["facets"]["schema"]["fields"]}
    assert (types["email"], types["quantity"], types["created_at"]) == ("string", "integer", "datetime")
    # A release is a run of its own, which says whose rows it has.
    held = [batch for batch, body in judged.items() if (body["verdict"], body["dataset"]) == ("held", "sensors")]
    releases = [event["run"]["facets"]["sluice_gate"].get("releases") for event in ends.values()]
    assert [one for one in releases if one] == held and len(held) == 1


def test_openlineage_by_dataset_batch_and_entry(events_store: Path) -> None:
    def runs(*more: str) -> set[str]:
        return {json.loads(line)["run"]["runId"] for line in export(events_store, "openlineage", *more).splitlines()}

    received = of_kind(events_store, "batch.received")
    tickets = {body["batch"] for body in received if body["dataset"] == "tickets"}
    assert runs("--dataset", "tickets") == tickets
    assert runs("--batch", next(iter(tickets))) == tickets
    size = len(entries(events_store))
    assert runs("--since", str(size)) == set()
    assert len(runs()) > len(runs("--dataset", "orders")) > 0


def test_no_export_has_a_value_or_a_file_name(events_store: Path) -> None:
    texts = [
        export(events_store, "openlineage"),
        export(events_store, "prov"),
        export(events_store, "croissant", "--dataset", "orders"),
        "".join(map(str, statements(events_store))),
    ]
    rows = (SAMPLES / "orders-good.csv").read_text().splitlines()[1:]
    values = {cell for row in rows for cell in row.split(",") if len(cell) > 7}
    assert len(values) > 500
    for text in texts:
        assert "orders-good.csv" not in text
        assert not [value for value in values if value in text]


class Endpoint(HTTPServer):
    """Answers with these codes, and with the last one from then on."""

    def __init__(self, *codes: int, port: int = 0) -> None:
        self.codes, self.got = list(codes), list[tuple[str | None, dict[str, Any]]]()
        super().__init__(("127.0.0.1", port), Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answers(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        code = self.server.codes.pop(0) if len(self.server.codes) > 1 else self.server.codes[0]
        if code < 300:
            self.server.got.append((self.headers.get("Authorization"), body))
        self.send_response(code)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def test_openlineage_to_an_endpoint(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    store, schema = tmp_path / "store", SCHEMAS / "sensors.schema.yaml"
    sluice("init", store)
    endpoint = Endpoint(200)
    headers = tmp_path / "headers"
    headers.write_text("Authorization: Bearer secret-token\n")
    headers.chmod(0o600)

    def configure(port: int) -> None:
        settings = (store / "sluice.yaml").read_text().split("\nopenLineage:")[0]
        (store / "sluice.yaml").write_text(
            f"{settings}\nopenLineage:\n  url: http://127.0.0.1:{port}/api/v1/lineage\n  headers: {headers}\n"
        )

    def run(file: str, *more: str, code: int) -> str:
        command = [PROGRAM, "ingest", SAMPLES / file, "--store", store, "--dataset", "sensors", "--schema", schema, *more]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "secret-token" not in done.stdout + done.stderr
        return done.stderr

    port = endpoint.server_address[1]
    configure(port)
    assert "OpenLineage" not in run("sensors-good.csv", code=0)
    assert [(token, event["eventType"]) for token, event in endpoint.got] == [
        ("Bearer secret-token", "START"), ("Bearer secret-token", "COMPLETE")
    ]  # fmt: skip
    # Down: the batch is judged as ever, and its events wait.
    endpoint.shutdown()
    endpoint.server_close()
    assert "OpenLineage" in run("sensors-poisoned.csv", code=1)
    endpoint = Endpoint(503, 200, port=port)
    assert "503" in run("sensors-dirty.csv", code=1)
    assert not endpoint.got
    assert "OpenLineage" not in run("sensors-good-2.csv", code=0)
    runs = [event["run"]["runId"] for _, event in endpoint.got if event["eventType"] == "COMPLETE"]
    assert runs == [body["batch"] for body in of_kind(store, "batch.judged")][1:]
    # What the endpoint refuses for good does not stop what follows.
    endpoint.codes = [422, 200]
    assert "HTTP 422" in run("sensors-poisoned.csv", "--force", code=1)
    assert "OpenLineage" not in run("sensors-dirty.csv", "--force", code=1)
    exported = [json.loads(line) for line in export(store, "openlineage").splitlines()]
    sent = [event for _, event in endpoint.got]
    assert sent and all(event in exported for event in sent) and len(exported) == 2 + len(sent) + 1
    # The daemon as well.
    shutil.copy(SAMPLES / "sensors-good.csv", tmp_path / "again.csv")
    with open(tmp_path / "again.csv", "a") as file:
        file.write("".join((SAMPLES / "sensors-good-2.csv").read_text().splitlines(keepends=True)[1:2]))
    text = (store / "sluice.yaml").read_text().replace("datasets:\n", f"datasets:\n  sensors:\n    schema: {schema}\n", 1)
    (store / "sluice.yaml").write_text(text)
    (store / "inbox/sensors").mkdir(parents=True)
    shutil.copy(tmp_path / "again.csv", store / "inbox/sensors/again.csv")
    before = len(endpoint.got)
    sluice("watch", "--once", "--store", store, code=None)
    assert len(endpoint.got) == before + 2
    assert "events" not in sluice("doctor", "--store", store, code=None)
    # Nothing goes out without the token, or with one that others can read; the address is taken as it is.
    before = len(endpoint.got)
    headers.chmod(0o644)
    assert "open to others" in sluice("doctor", "--store", store, code=None)
    assert "open to others" in run("sensors-poisoned.csv", "--force", code=1)
    headers.unlink()
    assert "headers" in run("sensors-poisoned.csv", "--force", code=1)
    assert len(endpoint.got) == before
    headers.write_text("Authorization: Bearer secret-token\n")
    headers.chmod(0o600)
    settings = (store / "sluice.yaml").read_text()
    (store / "sluice.yaml").write_text(settings.replace("/api/v1/lineage", "/[1-3]/{a,b}"))
    assert "OpenLineage" not in run("sensors-poisoned.csv", "--force", code=1)
    assert len(endpoint.got) == before + 6
    endpoint.shutdown()
    endpoint.server_close()


# PROV


def test_prov_by_the_library_of_the_same_name(events_store: Path) -> None:
    model = pytest.importorskip("prov.model")
    text = export(events_store, "prov")
    document = model.ProvDocument.deserialize(content=text, format="json")
    assert model.ProvDocument.deserialize(content=document.serialize(format="json"), format="json") == document
    published = [file for body in of_kind(events_store, "shard.published") for file in body["files"]]
    rewrapped = [file for body in of_kind(events_store, "shard.rewrapped") for file in body["files"]]
    assert rewrapped
    stated = json.loads(text)
    for file in published + rewrapped:
        assert stated["entity"]["sha256:" + file["file_sha256"]]["prov:location"] == file["path"]
    assert len(stated["wasGeneratedBy"]) == len(published)
    revisions = [one for one in stated["wasDerivedFrom"].values() if "prov:type" in one]
    assert {(one["prov:generatedEntity"], one["prov:usedEntity"]) for one in revisions} == {
        ("sha256:" + file["file_sha256"], "sha256:" + file["was"]) for file in rewrapped
    }
    # Each relation is between things that the document describes.
    things = {name for kind in ("entity", "activity", "agent") for name in stated[kind]}
    for kind in set(stated) - {"prefix", "entity", "activity", "agent"}:
        for relation in stated[kind].values():
            ends = [value for key, value in relation.items() if key not in ("prov:time", "prov:type", "prov:role")]
            assert set(ends) <= things
    # By one batch, or from an entry on, what became of files is not left out.
    size = min(place for place, body in enumerate(entries(events_store)) if body["kind"] == "shard.rewrapped")
    later = json.loads(export(events_store, "prov", "--since", str(size)))
    assert len(later["wasInvalidatedBy"]) == len(rewrapped)
    first = of_kind(events_store, "shard.published")[0]
    one = json.loads(export(events_store, "prov", "--batch", first["batch"]))
    paths = {file["path"] for file in first["files"]}
    assert len(one["wasInvalidatedBy"]) == sum(file["path"] in paths for file in rewrapped) > 0
    for part in (later, one):
        model.ProvDocument.deserialize(content=json.dumps(part), format="json")
    with pytest.raises(Exception):
        model.ProvDocument.deserialize(content=text.replace('"wasDerivedFrom"', '"wasMadeFrom"'), format="json")


# in-toto


def statements(store: Path, *more: str) -> list[dict[str, Any]]:
    lines = export(store, "intoto", "--sign-with", "attest", *more).splitlines()
    return [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in lines]


def test_intoto_by_securesystemslib_and_in_toto(events_store: Path) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse")
    signer = pytest.importorskip("securesystemslib.signer")
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from google.protobuf import json_format
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement
    from securesystemslib.exceptions import VerificationError

    pem = sluice("keys", "public", "--name", "attest", "--store", events_store).encode()
    lines = export(events_store, "intoto", "--sign-with", "attest").splitlines()
    identifier = json.loads(lines[0])["signatures"][0]["keyid"]
    key = signer.SSlibKey.from_crypto(load_pem_public_key(pem), keyid=identifier)
    assert len(lines) == len(of_kind(events_store, "batch.judged"))
    for line in lines:
        envelope = dsse.Envelope.from_dict(json.loads(line))
        envelope.verify([key], 1)
        for changed in (envelope.payload.replace(b"PASSED", b"FAILED"), envelope.payload.replace(b"sha256", b"sha512"), b""):
            if changed != envelope.payload:
                with pytest.raises(VerificationError):
                    dsse.Envelope(changed, envelope.payload_type, envelope.signatures).verify([key], 1)
        parsed = statement_pb2.Statement()
        json_format.Parse(envelope.payload, parsed)
        Statement.copy_from_pb(parsed).validate()
        predicate = json.loads(envelope.payload)["predicate"]
        json_format.Parse(json.dumps(predicate), test_result_pb2.TestResult())
        with pytest.raises(json_format.ParseError):
            json_format.Parse(json.dumps({**predicate, "verdict": 1}), test_result_pb2.TestResult())


def test_statements_say_what_the_ledger_says(events_store: Path) -> None:
    judged = of_kind(events_store, "batch.judged")
    for body, statement in zip(judged, statements(events_store), strict=True):
        predicate = statement["predicate"]
        found = set(body["findings"]) | set(body["batch_findings"])
        assert found <= set(predicate["warnedTests"]) | set(predicate["failedTests"])
        assert (predicate["result"] == "PASSED") == (not found and body["rejected"] == 0)
        assert predicate["configuration"][-1]["annotations"]["batch"] == body["batch"]
        assert (predicate["result"] == "FAILED") == (body["verdict"] == "held") == bool(predicate["failedTests"])
        digests = {one["digest"]["sha256"] for one in statement["subject"]}
        files = [
            file
            for one in of_kind(events_store, "shard.published")
            if one["batch"] == body["batch"]
            for file in one["files"]
            if file["role"] == "accepted"
        ]
        if body["verdict"] == "accepted":
            assert digests == {file["file_sha256"] for file in files}
        else:
            received = next(one for one in of_kind(events_store, "batch.received") if one["batch"] == body["batch"])
            assert digests == {received["data_hash"]}


def test_the_ledgers_key_signs_no_statements(events_store: Path) -> None:
    sluice("lineage", "export", "--format", "intoto", "--sign-with", "ledger", "--store", events_store, code=64)
    sluice("lineage", "export", "--format", "intoto", "--sign-with", "nobody", "--store", events_store, code=77)
    sluice("lineage", "export", "--format", "intoto", "--store", events_store, code=64)


# Croissant


def validated(card: dict[str, Any], path: Path) -> int:
    path.write_text(json.dumps(card))
    command = [str(Path(sys.executable).parent / "mlcroissant"), "validate", "--jsonld", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.mark.parametrize("dataset", ["orders", "tickets"])
def test_croissant_by_mlcroissant(events_store: Path, tmp_path: Path, dataset: str) -> None:
    pytest.importorskip("mlcroissant")
    card = json.loads(export(events_store, "croissant", "--dataset", dataset))

    assert validated(card, tmp_path / "card.json") == 0
    # mlcroissant does not notice that a digest is missing, so this test does.
    files = [one for one in card["distribution"] if one["@type"] == "cr:FileObject"]
    present = {path.relative_to(events_store).as_posix(): path for path in events_store.glob(f"accepted/{dataset}/*/*.sluice")}
    assert {one["contentUrl"]: one["sha256"] for one in files} == {name: _digest(path) for name, path in present.items()}
    assert [one["contentSize"] for one in files] == [f"{present[one['contentUrl']].stat().st_size} B" for one in files]
    for spoil in (
        lambda card: card["recordSet"][0]["field"][0]["source"]["fileSet"].update({"@id": "nowhere"}),
        lambda card: card["recordSet"][0]["field"][0].update({"@id": "a b"}),
        lambda card: card["distribution"][0].pop("encodingFormat"),
        lambda card: card["distribution"][0].pop("contentUrl"),
    ):
        spoilt = copy.deepcopy(card)
        spoil(spoilt)
        assert validated(spoilt, tmp_path / "card.json") != 0


def test_croissant_of_odd_names_and_two_forms(tmp_path: Path) -> None:
    pytest.importorskip("mlcroissant")
    names = ['a"b', "x.y", "p/q", "naïve 列", "a'] b", "plain"]
    fields = "".join(f"  - {{ name: {json.dumps(name)} }}\n" for name in names)
    schema = tmp_path / "odd.yaml"
    schema.write_text(f"fields:\n{fields}sluice: {{ batch: {{ minRows: 1 }}, undeclaredPii: allow, secrets: allow }}\n")
    store = tmp_path / "store"
    sluice("init", store)
    text = io.StringIO()
    csv.writer(text).writerows([names, ["1"] * len(names)])
    (tmp_path / "a.csv").write_text(text.getvalue())
    (tmp_path / "b.jsonl").write_text(json.dumps({name: f"2{place}" for place, name in enumerate(names)}) + "\n")
    for file in ("a.csv", "b.jsonl"):
        ingest(store, tmp_path / file, "odd", schema)
    card = json.loads(export(store, "croissant", "--dataset", "odd"))
    assert validated(card, tmp_path / "card.json") == 0
    formats = {one["contentUrl"]: one["encodingFormat"][1] for one in card["distribution"] if one["@type"] == "cr:FileObject"}
    assert sorted(formats.values()) == ["application/jsonl", "text/csv"]
    by_form = {one["@id"]: one["field"] for one in card["recordSet"]}
    assert [field["source"]["extract"]["column"] for field in by_form["rows-csv"]] == names
    # The paths find the members of these names.
    jsonpath = pytest.importorskip("jsonpath_rfc9535")
    record = {name: place for place, name in enumerate(names)}
    found = [jsonpath.find(field["source"]["extract"]["jsonPath"], record).values() for field in by_form["rows-json"]]
    assert found == [[place] for place in range(len(names))]


def test_croissant_of_nothing_is_refused(events_store: Path, tmp_path: Path) -> None:
    sluice("lineage", "export", "--format", "croissant", "--store", events_store, code=64)
    empty = tmp_path / "empty"
    sluice("init", empty)
    (empty / "sluice.yaml").write_text((empty / "sluice.yaml").read_text() + "\n")
    sluice("lineage", "export", "--format", "croissant", "--dataset", "nothing", "--store", empty, code=64)


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
