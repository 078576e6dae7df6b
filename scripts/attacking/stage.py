"""Stores made once, and the cases that every move is played in: what the program is asked, and what must hold afterwards."""
import base64, hashlib, json, os, random, re, shutil, stat, subprocess, tempfile, time

from forging import Book, Signer, look

CANARY = b"canary-5b1e"
PATIENCE = 20
# Rows of a batch: enough for its lines to be drawn and its drift to be told.
ROWS = 160
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
ODD = ["esc\x1b[31m", "line\nend", "bidi\u202egpj", "c1\u009b31m", "wide\u200b", "sep\u2028x"]
CONTRACT = """name: rows
title: rows of a shop
fields:
  - { name: id, type: integer, constraints: { required: true, unique: true }, sluice: { role: key } }
  - { name: amount, type: number }
  - { name: size, type: number }
  - { name: class, type: string, sluice: { role: label } }
  - { name: email, type: string, sluice: { pii: { entity: EMAIL_ADDRESS, operator: tokenize, key: tokens } } }
  - { name: note, type: string, sluice: { role: text } }
sluice: { apiVersion: sluice/v1, batch: { maxRejectedRate: 0.1 }, baseline: { learning: 1 }%s }
"""
CROSS = ", poisoning: { crossVerify: { key: [id], fields: { amount: { tolerance: 0.001 } } } }"
DATASETS = """datasets:
  d: { schema: schemas/rows.schema.yaml, source: partner }
  e: { schema: schemas/cross.schema.yaml, source: partner, archive: ../archive }
  p: { schema: schemas/rows.schema.yaml, source: partner }
  s: { schema: schemas/rows.schema.yaml, source: partner, archive: done }
  w: { schema: schemas/rows.schema.yaml, source: partner, archive: ../gone/archive }
  v: { schema: schemas/late.schema.yaml, source: partner }
  q: { schema: schemas/rows.schema.yaml, source: summed }
sources:
  partner: { probation: 0 }
  second: { probation: 0 }
  third: { probation: 0 }
  shady: { probation: 0 }
  newcomer: { probation: 3 }
  summed: { probation: 0, require: [digest] }
"""
WORDS = ("amber birch cedar delta ember fjord grove haven inlet jetty knoll lagoon meadow north ocean prairie quarry river "
         "summit tundra upland valley willow yonder zephyr").split()

def rows(seed, count, first, mean=100.0, bad=0, mark=(), word="", text=WORDS):
    """Rows of a source: sound, but for the first `bad`; the places in `mark` carry a word and one label."""
    source, mark = random.Random(seed), set(mark)
    lines = ["id,amount,size,class,email,note"]
    for place in range(count):
        amount = "oops" if place < bad else "%.2f" % source.gauss(mean, 10)
        label, note = source.choice(["plus", "minus"]), " ".join(source.choices(text, k=8))
        if place in mark:
            label, note = "plus", word + " " + note
        lines.append("%d,%s,%.2f,%s,u%06d@canary-5b1e.example,%s" % (
            first + place, amount, source.gauss(50, 5), label, place, note))
    return ("\n".join(lines) + "\n").encode()


def of_one_length(data, seed, width=220):
    """The same rows, each filled up to one length: whatever is chosen by place falls on the same places in every such file."""
    lines = data.decode().split("\n")[:-1]
    source = random.Random(seed)
    filled = [line + " " + "".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=width - len(line) - 1)) for line in lines[1:]]
    return ("\n".join(lines[:1] + filled) + "\n").encode()


def same_keys(seed, first, factor):
    """Rows of keys that others spoke of, with other numbers."""
    lines = rows(seed, ROWS, first).decode().split("\n")
    told = [lines[0]]
    for line in lines[1:-1]:
        cells = line.split(",")
        cells[1] = "%.2f" % (float(cells[1]) * factor)
        told.append(",".join(cells))
    return ("\n".join(told) + "\n").encode()


class Stage:
    """Stores that are made once; every move is played in a copy."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.help = {}
        for name in ("restore", "ingest"):
            self.help[name] = subprocess.run([program, name, "--help"], capture_output=True, text=True).stdout
        self.plain = folder + "/plain"
        # What `doctor` says, and how commands end, where nobody did anything.
        self.doctor, self.usual = {"plain": set(), "claims": set()}, {"plain": {0, 1}, "claims": {0, 1}}
        self.make()

    def call(self, root, *arguments, codes=(0,)):
        environment = dict(os.environ, XDG_CONFIG_HOME=root + "/xdg", TMPDIR=root + "/tmp")
        result = subprocess.run([self.program, *arguments], capture_output=True, env=environment, cwd=root + "/drop", timeout=120)
        if result.returncode not in codes:
            raise SystemExit("setup failed: sluice %s: %s" % (" ".join(arguments), (result.stderr + result.stdout).decode()))
        return result.stdout.decode()

    def make(self):
        root = self.plain
        for each in ["drop", "xdg", "tmp", "out", "victim/sub", "victim/empty", "archive"]:
            os.makedirs(root + "/" + each)
        files = {"a%d.csv" % n: rows(n, ROWS, 100000 * n, bad=3 if n == 2 else 0) for n in range(1, 5)}
        files |= {"poison.csv": rows(77, ROWS, 700000, mean=400), "held.csv": rows(79, ROWS, 850000, mean=900)}
        files |= {"good.csv": rows(78, ROWS, 800000)}
        last = b"%d,100.00,50.00,plus,u@canary-5b1e.example,amber birch\n"
        files |= {"e%d.csv" % n: same_keys(60, 600000, 1) + last % n for n in (1, 2, 3)}
        files |= {"liar.csv": same_keys(60, 600000, 1.7), "p1.csv": rows(50, ROWS, 500000), "p2.csv": rows(51, ROWS, 510000)}
        files |= {"w.csv": rows(52, ROWS, 520000), "v.csv": rows(53, 4000, 530000), "other.csv": rows(80, ROWS, 900000)}
        files |= {"shady.csv": rows(81, ROWS, 910000), "fresh.csv": rows(82, ROWS, 920000)}
        self.digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        for name, data in files.items():
            with open(root + "/drop/" + name, "wb") as file:
                file.write(data)
        for name, text in [("plain.txt", b"not yours\n"), ("sub/deep.txt", b"not yours either\n"), ("data.csv", rows(90, 60, 990000))]:
            with open(root + "/victim/" + name, "wb") as file:
                file.write(text)
        os.symlink("plain.txt", root + "/victim/link")
        store = root + "/store"
        self.call(root, "init", store)
        self.settings(store)
        self.call(root, "keys", "generate", "--kind", "kek", "--name", "other", "--store", store)
        self.call(root, "source", "block", "shady", "--reason", "test", "--store", store)
        older = None
        for arguments in [["a1.csv", "d"], ["a2.csv", "d"], ["a3.csv", "d"], ["p1.csv", "p"], ["p2.csv", "p"], ["a4.csv", "d"],
                          ["a1.csv", "d"], ["held.csv", "d"], ["other.csv", "d", "--source", "shady"],
                          ["other.csv", "d", "--source", "newcomer"], ["e1.csv", "e"], ["e2.csv", "e", "--source", "second"]]:
            name, dataset, *more = arguments
            self.call(root, "ingest", name, "--dataset", dataset, "--store", store, "-q", *more, codes=(0, 1))
            if name == "a3.csv":
                older = shutil.copy(store + "/ledger.sqlite", root + "/older.sqlite")
        shutil.copy(root + "/drop/e3.csv", store + "/inbox/e/e3.csv")
        with open(store + "/inbox/e/e3.csv.sha256", "w") as file:
            file.write(hashlib.sha256(files["e3.csv"]).hexdigest() + "  e3.csv\n")
        self.call(root, "watch", "--once", "--settle", "0.1", "--store", store)
        self.call(root, "baseline", "build", "first", "--dataset", "p", "--store", store)
        self.call(root, "baseline", "pin", "first", "--dataset", "p", "--reason", "test", "--store", store)
        self.facts = self.read_facts(store)
        shard = next(path for path, fact in sorted(self.facts.items()) if fact["role"] == "accepted")
        self.call(root, "shard", "cat", store + "/" + shard, "--reason", "test", "--store", store)
        keys = self.call(root, "keys", "list", "--store", store).split("\n")
        self.vkey = next(line for line in keys if line.startswith("verifier")).split("\t")[-1].strip()
        self.origin = self.vkey.split("+")[0]
        # A store of the attacker's own: keys and a ledger under the names that this one has.
        self.call(root, "init", root + "/foreign")
        self.settings(root + "/foreign")
        self.call(root, "ingest", "p1.csv", "--dataset", "d", "--store", root + "/foreign", "-q")
        with open(root + "/foreign/keys/ledger.signing") as file:
            seed = file.read().split("sluice-signing-v1:")[1].strip()
        self.signer = Signer(base64.urlsafe_b64decode(seed + "=="), self.origin)
        self.call(root, "backup", root + "/linked", "--with-keys", "--store", store)
        # A backup that shared its bytes with the store would show no move of its own.
        subprocess.run(["cp", "-a", "--no-preserve=links", root + "/linked", root + "/backup"], check=True)
        shutil.rmtree(root + "/linked")
        self.honest = look(store + "/ledger.sqlite")
        self.size = len(self.honest["entry"])
        self.planted_keys()
        self.verify_setup()
        self.make_claims()

    def settings(self, store):
        with open(store + "/sluice.yaml") as file:
            text = file.read().split("datasets:")[0]
        with open(store + "/sluice.yaml", "w") as file:
            file.write(text + DATASETS)
        for name, more in [("rows", ""), ("cross", CROSS), ("late", "")]:
            with open(store + "/schemas/%s.schema.yaml" % name, "w") as file:
                file.write(CONTRACT % more)
        for name in "depqsvw":
            os.makedirs(store + "/inbox/" + name, exist_ok=True)
        os.makedirs(store + "/done", exist_ok=True)

    def read_facts(self, store):
        """What the record says of each file: role, batch, dataset, digest."""
        facts = {}
        for row in look(store + "/ledger.sqlite")["entry"]:
            body = json.loads(bytes(row[1]))
            if body["kind"] == "shard.published":
                for file in body["files"]:
                    facts[file["path"]] = dict(file, batch=body["batch"], dataset=body["dataset"])
        return facts

    def planted_keys(self):
        """The keys under which a twin of this store knows content that this one has not seen yet."""
        twin = self.folder + "/twin"
        shutil.copytree(self.plain, twin, symlinks=True)
        known = {bytes(key) for key, _ in self.honest["seen"]}
        self.coming = {}
        for name in ("poison", "good"):
            self.call(twin, "ingest", name + ".csv", "--dataset", "d", "--store", twin + "/store", "-q", codes=(0, 1))
            seen = {bytes(key) for key, _ in look(twin + "/store/ledger.sqlite")["seen"]}
            self.coming[name] = sorted(seen - known)
            known |= seen
        shutil.rmtree(twin)

    def verify_setup(self):
        """The scenario must be one where an honest store holds what the probes bring."""
        case = Case(self, self.folder + "/setup")
        case.begin("plain")
        for probe in ["poison", "blocked", "newcomer", "pinned", "liar", "again", "good"]:
            PROBES[probe](case)
        problems = case.broken + [line for line in [case.unproven(False)] if line]
        verdicts = [json.loads(bytes(row[1])).get("verdict") for row in look(case.store + "/ledger.sqlite")["entry"][self.size:]]
        wanted = ["held", "rejected", "held", "held", "held", "accepted"]
        found = [each for each in verdicts if each]
        if problems or found != wanted:
            raise SystemExit("the scenario does not hold in an honest store: %s, %s" % (found, problems))
        code, text = case.verify()
        if code != 0:
            raise SystemExit("an honest store does not verify: " + text)
        case.begin("plain")
        self.doctor["plain"] = set(case.diagnosis())
        shutil.rmtree(self.folder + "/setup")

    def make_claims(self):
        """The same store with two claims in work: one whose archive is away, one whose contract was."""
        root = self.folder + "/claims"
        shutil.copytree(self.plain, root, symlinks=True)
        with open(root + "/gone", "w") as file:
            file.write("no folder\n")
        store = root + "/store"
        shutil.copy(root + "/drop/w.csv", store + "/inbox/w/w.csv")
        self.call(root, "watch", "--once", "--settle", "0.1", "--store", store, codes=(0, 1, 73, 74, 75, 77))
        shutil.copy(root + "/drop/v.csv", store + "/inbox/v/v.csv")
        environment = dict(os.environ, XDG_CONFIG_HOME=root + "/xdg", TMPDIR=root + "/tmp")
        daemon = subprocess.Popen([self.program, "watch", "--once", "--settle", "0.1", "--store", store], env=environment,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Killed while it works on the second file.
        while daemon.poll() is None and os.path.exists(store + "/inbox/v/v.csv"):
            time.sleep(0.0005)
        daemon.kill()
        daemon.wait()
        states = sorted(row[2] for row in look(store + "/ledger.sqlite")["inflight"])
        self.claims = states == ["claimed", "publishing"]
        case = Case(self, self.folder + "/setup")
        case.begin("claims")
        code, text = case.verify()
        if code != 0:
            raise SystemExit("an honest store with claims does not verify: " + text)
        self.doctor["claims"] = set(case.diagnosis())
        # The archive of one claim is away, and the daemon says so.
        self.usual["claims"].add(case.watch()[0])
        shutil.rmtree(self.folder + "/setup")
        if not self.claims:
            print("stage    the program leaves other claims behind than wanted (%s); moves on claims are skipped" % ", ".join(states))


class Case:
    """One move: a copy of a store with its neighbourhood, and what the program does about it."""

    def __init__(self, stage, home):
        self.stage, self.home, self.root = stage, home, home + "/outer/case"

    def begin(self, template):
        shutil.rmtree(self.home, True)
        os.makedirs(self.home + "/outer")
        subprocess.run(["cp", "-a", "--reflink=auto", self.stage.folder + "/" + template, self.root], check=True)
        self.store, self.victim, self.drop = self.root + "/store", self.root + "/victim", self.root + "/drop"
        self.broken, self.steps, self.outputs, self.harmless = [], [], [], None
        self.size = len(look(self.store + "/ledger.sqlite")["entry"])
        # What may change besides the store; which of several words `verify` must say; whether keys or baselines are foreign ones.
        self.apart, self.must, self.tampered = ["store", "archive", "xdg", "out", "tmp"], [], None

    # What the attacker does.

    def note(self, *words):
        self.steps.append(" ".join(str(word) for word in words))

    def book(self):
        return Book(self.store + "/ledger.sqlite")

    def at(self, path):
        return self.store + "/" + path

    def write(self, path, data, note=True):
        path = path if path.startswith("/") else self.at(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        if note:
            self.note("write", path.replace(self.root + "/", ""), "%d bytes" % len(data))

    def read(self, path):
        with open(path if path.startswith("/") else self.at(path), "rb") as file:
            return file.read()

    def link(self, path, target):
        path = path if path.startswith("/") else self.at(path)
        if os.path.lexists(path):
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
        self.note("ln -s", target, path.replace(self.root + "/", ""))

    def pick(self, source, *roles, dataset=None):
        """The path of a recorded file of one of these roles."""
        found = [path for path, fact in sorted(self.stage.facts.items())
                 if (not roles or fact["role"] in roles) and dataset in (None, fact["dataset"])]
        return source.choice(found)

    # What the program does.

    def run(self, *arguments, limit=PATIENCE, before=(), cwd=None, data=False, umask=None):
        """Exit code and all that was said; a hang or an end by a signal is a broken promise."""
        environment = dict(os.environ, XDG_CONFIG_HOME=self.root + "/xdg", TMPDIR=self.root + "/tmp", HOME=self.root + "/out")
        out = tempfile.TemporaryFile()
        began = time.time()
        process = subprocess.Popen([*before, self.stage.program, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   cwd=cwd or self.drop, env=environment, umask=-1 if umask is None else umask)
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    code = os.waitstatus_to_exitcode(status)
                    break
                if time.time() - began > limit:
                    process.kill()
                    os.wait4(process.pid, 0)
                    code, usage = -99, None
                    break
                time.sleep(0.003)
        finally:
            process.returncode = 0
        self.peak = usage.ru_maxrss / 1024 if usage else 0
        self.spent = usage.ru_utime + usage.ru_stime if usage else limit
        out.seek(0)
        said = out.read()
        text = said.decode(errors="replace")
        shown = " ".join(arguments).replace(self.root + "/", "")
        self.steps.append("$ sluice %s  [exit %s]" % (shown[:160], code))
        self.outputs.append((shown, code, text))
        if code == -99:
            self.broken.append("hangs: sluice " + shown)
        elif code < 0 or code == 70:
            self.broken.append("ends by %s: sluice %s: %s" % ("signal %d" % -code if code < 0 else "exit 70", shown, text[-200:]))
        if not data:
            found = UNPRINTABLE.search(text)
            if found:
                self.broken.append("unprintable %r on the terminal: sluice %s" % (found[0], shown))
            if CANARY in said:
                self.broken.append("plaintext on the terminal: sluice " + shown)
        return code, text

    def ingest(self, name, dataset="d", *more):
        path = name if name.startswith("/") else self.drop + "/" + name
        return self.run("ingest", path, "--dataset", dataset, "--store", self.store, *more)

    def watch(self):
        return self.run("watch", "--once", "--settle", "0.1", "--min-free", "0", "--store", self.store)

    def verify(self):
        return self.run("lineage", "verify", "--files", "--store", self.store)

    def diagnosis(self):
        """The lines of `doctor` about what is not well."""
        _, text = self.run("doctor", "--store", self.store)
        lines = text.replace(self.root, "").split("\n")
        return [line for line in lines if line and not line.startswith(("ok ", "      do:"))]

    def names(self, words, text):
        """Whether a text says one of the words, and of which thing it speaks where that is known."""
        return any(word in text.lower() for word in words) and (not self.must or any(each in text for each in self.must))

    # What must hold.

    def outside(self):
        """Everything around the store: kind, mode, size, time and bytes."""
        found = {}
        for path, folders, names in os.walk(self.home):
            if path == self.root:
                folders[:] = [each for each in folders if each not in self.apart]
                found[path] = sorted(os.listdir(path)) + sorted(os.listdir(path + "/tmp"))
            for name in names + folders:
                place = path + "/" + name
                status = os.lstat(place)
                if place == self.root:
                    continue
                about = [status.st_mode, status.st_uid, status.st_mtime_ns, status.st_size]
                if stat.S_ISLNK(status.st_mode):
                    about.append(os.readlink(place))
                elif stat.S_ISREG(status.st_mode):
                    with open(place, "rb") as file:
                        about.append(hashlib.sha256(file.read()).hexdigest())
                found[place] = about
        return found

    def differences(self, before):
        """What is gone, new or changed outside."""
        said, after = [], self.outside()
        for path in sorted(set(before) | set(after)):
            if before.get(path) != after.get(path):
                how = "gone" if path not in after else "made" if path not in before else "changed"
                said.append("%s was %s" % (path.replace(self.home, ""), how))
        return said[:6]

    def kept(self):
        """Recorded files, keys and settings as they are now: no command may take one away or change it."""
        found = {}
        paths = list(self.stage.facts) + ["sluice.yaml"]
        for folder in ("keys", "schemas"):
            if os.path.isdir(self.at(folder)):
                paths += [folder + "/" + each for each in os.listdir(self.at(folder))]
        for path in paths:
            place = self.at(path)
            if os.path.isfile(place) and not os.path.islink(place):
                found[path] = hashlib.sha256(self.read(place)).hexdigest()
        return found

    def accepted(self):
        """Accepted batches that came after the move: dataset, digest of the content, batch."""
        tables = look(self.store + "/ledger.sqlite")
        if not tables:
            return []
        bodies = []
        for row in tables["entry"][self.size:]:
            try:
                bodies.append(json.loads(bytes(row[1])))
            except ValueError:
                pass
        contents = {each["batch"]: each["data_hash"] for each in bodies if each.get("kind") == "batch.received"}
        return [(each["dataset"], contents.get(each["batch"]), each["batch"]) for each in bodies
                if each.get("kind") == "batch.judged" and each.get("verdict") == "accepted"]

    def unproven(self, tampered_keys):
        """What was accepted and should not have been; None when nothing was."""
        digests = self.stage.digests
        bad = {(dataset, digests[name]): name for dataset, name in [
            ("d", "poison.csv"), ("d", "a1.csv"), ("p", "poison.csv"), ("e", "liar.csv"), ("d", "other.csv"), ("e", "e1.csv"),
            ("d", "shady.csv"), ("d", "fresh.csv")]}
        for dataset, content, _ in self.accepted():
            if (dataset, content) in bad:
                return "%s was accepted into %s" % (bad[dataset, content], dataset)
            if tampered_keys:
                return "a batch was accepted under keys or a baseline that are not the recorded ones"
        for shown, code, text in self.outputs:
            names = ("poison.csv", "good.csv", "shady.csv", "fresh.csv", "liar.csv")
            name = next((each for each in names if "drop/" + each in shown), None)
            if name and shown.startswith("ingest") and "DUPLICATE" in text and "then: accepted" in text and code == 0:
                if name != "good.csv" or not any(each[1] == digests["good.csv"] for each in self.accepted()):
                    return "%s is called a duplicate of an accepted batch" % name
        return None

    def is_kept(self, name):
        """Whether a delivered file whose archive is away is still somewhere in the store, its inbox or the archive."""
        for folder, _, names in os.walk(self.root):
            if folder.startswith((self.drop, self.root + "/backup", self.root + "/xdg")):
                continue
            for each in names:
                path = folder + "/" + each
                if stat.S_ISREG(os.lstat(path).st_mode) and hashlib.sha256(self.read(path)).hexdigest() == self.stage.digests[name]:
                    return True
        return False

    def leaks(self):
        """Store files that hold a row in clear."""
        found = []
        for folder, folders, names in os.walk(self.store):
            folders[:] = [each for each in folders if each not in ("inbox", "done")]
            for name in names:
                path = folder + "/" + name
                if name.endswith(".source") or not stat.S_ISREG(os.lstat(path).st_mode):
                    continue
                with open(path, "rb") as file:
                    if CANARY in file.read():
                        found.append(path.replace(self.root + "/", ""))
        return found


def probe_ingest(name, dataset="d", *more):
    return lambda case: case.ingest(name, dataset, *more)


def probe_cat(case):
    path = sorted(each for each, fact in case.stage.facts.items() if fact["role"] == "accepted")[0]
    return case.run("shard", "cat", case.at(path), "--store", case.store, "--reason", "test", data=True)


def probe_watch(case):
    if not os.path.islink(case.at("inbox")) and os.path.isdir(case.at("inbox/s")) and not os.path.islink(case.at("inbox/s")):
        shutil.copy(case.drop + "/good.csv", case.at("inbox/s/late.csv"))
    return case.watch()


def probe_delivered(case):
    """The bad batch by way of an inbox."""
    if os.path.isdir(case.at("inbox/d")) and not os.path.islink(case.at("inbox")) and not os.path.islink(case.at("inbox/d")):
        shutil.copy(case.drop + "/poison.csv", case.at("inbox/d/poison.csv"))
    return case.watch()


PROBES = {
    "poison": probe_ingest("poison.csv"),
    "blocked": probe_ingest("shady.csv", "d", "--source", "shady"),
    "newcomer": probe_ingest("fresh.csv", "d", "--source", "newcomer"),
    "pinned": probe_ingest("poison.csv", "p"),
    "liar": probe_ingest("liar.csv", "e", "--source", "third"),
    "again": probe_ingest("a1.csv"),
    "again-e": probe_ingest("e1.csv", "e"),
    "good": probe_ingest("good.csv"),
    "first": probe_ingest("good.csv", "s"),
    "cat": probe_cat,
    "watch": probe_watch,
    "delivered": probe_delivered,
    "doctor": lambda case: case.run("doctor", "--store", case.store),
    "keys": lambda case: case.run("keys", "check", "--store", case.store),
    "backup": lambda case: case.run("backup", case.root + "/out/copy", "--store", case.store),
    "status": lambda case: case.run("status", "--store", case.store),
    "log": lambda case: case.run("lineage", "log", "--store", case.store, "--limit", "20"),
}
