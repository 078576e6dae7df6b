"""What suppliers, restorers and other users of the machine do beyond single moves."""
import collections, hashlib, json, os, re, shutil, stat, time

from forging import look
from stage import ODD, WORDS, of_one_length, rows

SCENES = {}


def scene(family, weight=1):
    """A scene plays and judges itself: it gives a list of promises that were not kept, each (promise, how). None: skipped."""
    def register(act):
        name = act.__name__.replace("_", "-")
        SCENES[name] = (family, act, weight)
        return act
    return register


def twice(case):
    """Contents that a dataset accepted more than once."""
    bodies = [json.loads(bytes(row[1])) for row in look(case.store + "/ledger.sqlite")["entry"]]
    contents = {each["batch"]: each["data_hash"] for each in bodies if each["kind"] == "batch.received"}
    counts = collections.Counter((each["dataset"], contents[each["batch"]]) for each in bodies
                                 if each["kind"] == "batch.judged" and each["verdict"] == "accepted")
    return [("unproven", "%s accepted the same content %d times" % (dataset, count)) for (dataset, _), count in counts.items() if count > 1]


@scene("supplier")
def replays_under_other_flags(case, source):
    """The same content again: another name, reader, delimiter, seed, excluded field, slice size."""
    for _ in range(4):
        name = source.choice(["a1.csv", "a2.csv", "a3.csv", "a4.csv"])
        more = source.choice([[], ["--seed", str(source.randrange(99))], ["--csv-engine", "libcsv"], ["--delimiter", ","],
                              ["--exclude", "size"], ["--source", "second"], ["--jobs", "1"], ["--input-format", "csv"]])
        copy = case.drop + "/again-%d.csv" % source.randrange(10**6)
        shutil.copy(case.drop + "/" + name, copy)
        if source.random() < 0.3:
            shutil.copy(copy, case.at("inbox/d/"))
            case.watch()
        else:
            case.ingest(copy, "d", *more)
        os.remove(copy)
    return twice(case)


@scene("supplier")
def replays_under_other_settings(case, source):
    text = case.read("sluice.yaml").decode()
    for more in source.sample(["limits: { sliceBytes: 65536 }\n", "limits: { sliceBytes: 131072 }\n", "key", "title"], 3):
        if more == "key":
            case.write("sluice.yaml", text.replace("  - kek: main ", "  - kek: other\n  - kek: main "))
        elif more == "title":
            case.write("schemas/rows.schema.yaml", case.read("schemas/rows.schema.yaml").replace(b"of a shop", b"of shops"))
        else:
            case.write("sluice.yaml", text + more)
        for name in source.sample(["a1.csv", "a3.csv", "a4.csv"], 2):
            case.ingest(name)
    return twice(case)


@scene("supplier")
def sidecars_wrong(case, source):
    """A source of which a digest is required: whatever else comes beside its file is no digest of it."""
    name = "side%d.csv" % source.randrange(1000)
    path = case.drop + "/" + name
    shutil.copy(case.drop + "/good.csv", path)
    right = hashlib.sha256(case.read(path)).hexdigest()
    wrong = hashlib.sha256(case.read(case.drop + "/poison.csv")).hexdigest()
    sidecar, data = source.choice([
        (None, b""), (".sha256", wrong.encode()), (".sha256", b""), (".sha256", b"x" * (1 << 20)), (".sha256", source.randbytes(99)),
        (".sha256", ("%s  other.csv\n%s  another.csv\n" % (right, wrong)).encode()), (".manifest", b"{"),
        (".manifest", b'{"sha256":"%s"}' % wrong.encode()), (".manifest", b"[" * 60000), (".sig", source.randbytes(600)),
        (".minisig", b"untrusted comment: \x1b[31m\n"), (".sha256", "pipe"), (".sha256", "folder"),
        (".manifest", json.dumps({"resources": [{"path": name, "hash": "sha256:" + wrong}]}).encode())])
    if sidecar:
        place = path + sidecar
        if data == "pipe":
            os.mkfifo(place)
        elif data == "folder":
            os.mkdir(place)
        else:
            case.write(place, data)
    if source.random() < 0.5:
        for each in [name] + ([name + sidecar] if sidecar else []):
            os.rename(case.drop + "/" + each, case.at("inbox/q/" + each))
        case.watch()
    else:
        case.ingest(path, "q")
        for each in [name] + ([name + sidecar] if sidecar else []):
            place = case.drop + "/" + each
            os.rmdir(place) if os.path.isdir(place) else os.remove(place)
    case.note("beside it:", sidecar, repr(data[:40]))
    return [("unproven", "accepted without a digest of its own") for dataset, _, _ in case.accepted() if dataset == "q"]


@scene("supplier")
def names_that_do_not_print(case, source):
    """Columns, members and files whose names steer a terminal."""
    odd = source.choice(ODD)
    quoted = json.dumps("x" + odd)
    csv = ('id,"x%s",%s\n' % (odd, "y\u202e") + "".join("%d,%d,%d\n" % (n, n % 7, n % 5) for n in range(60))).encode()
    lines = "".join('{"id":%d,%s:%d,"in":{%s:"a"}}\n' % (n, quoted, n % 7, quoted) for n in range(60)).encode()
    for name, data in [("odd.csv", csv), ("odd.jsonl", lines), ("file" + odd.replace("\n", " ") + ".csv", csv)]:
        path = case.drop + "/" + name
        case.write(path, data, note=False)
        case.note("a file %r with a name %r in it" % (name, odd))
        calls = [["validate", path, "--infer", "--format", form] for form in ("text", "json", "ndjson", "junit", "sarif", "github")]
        calls += [["scan", path], ["schema", "infer", path], ["score", path],
                  ["ingest", path, "--infer", "--dataset", "odd", "--store", case.store]]
        for arguments in source.sample(calls, 3):
            # Scores are data: a table whose columns have the file's own names.
            case.run(*arguments, data=arguments[0] == "score")
        os.remove(path)
    for end in (".csv", ".bin", ".csv.sha256"):
        case.write("inbox/d/file" + odd + end, csv, note=False)
    case.watch()
    for arguments in [["status"], ["lineage", "log"], ["lineage", "log", "--json"], ["doctor"]]:
        case.run(*arguments, "--store", case.store)
    return []


@scene("supplier")
def names_that_are_personal(case, source):
    """An address as the name of a column or of a file: neither record, report nor log may keep it."""
    person = "jane.roe%d@canary-5b1e.example" % source.randrange(100)
    data = ("id,%s,amount\n" % person + "".join("%d,%d,%d.5\n" % (n, n % 7, n % 5) for n in range(60))).encode()
    case.write(case.drop + "/named.csv", data)
    case.run("ingest", case.drop + "/named.csv", "--infer", "--dataset", "odd", "--source", "partner", "--store", case.store)
    case.run("scan", case.drop + "/named.csv")
    os.remove(case.drop + "/named.csv")
    case.write("inbox/d/%s.csv" % person, rows(5, 60, 40000))
    case.watch()
    for arguments in [["lineage", "log", "--json"], ["status"]]:
        case.run(*arguments, "--store", case.store)
    return []


@scene("supplier", weight=20)
def members_without_end(case, source):
    """353 KiB of records whose members all have names of their own (X10): a second and 100 MB."""
    release = "release" in case.stage.program
    # Without optimisation a third of it is enough to tell: what grows with the square takes seconds.
    bytes_wanted, seconds = (353 << 10, 1) if release else (120 << 10, 3)
    lines, size, number = [], 0, source.randrange(1000)
    while size < bytes_wanted:
        lines.append('{%s}\n' % ",".join('"m%d_%d":%d' % (number, n, n) for n in range(len(lines) * 20, len(lines) * 20 + 20)))
        size += len(lines[-1])
    path = case.drop + "/members.jsonl"
    case.write(path, "".join(lines))
    wrong = []
    for arguments in [["schema", "infer", path], ["scan", path], ["score", path]]:
        case.run(*arguments)
        if case.spent > seconds or case.peak > 100:
            wrong.append(("broken", "%s of %d KiB: %.1f s, %.0f MB" % (" ".join(arguments[:-1]), size >> 10, case.spent, case.peak)))
    os.remove(path)
    return wrong


@scene("supplier", weight=20)
def sample_told_by_a_report(case, source):
    """Which rows are looked at is learnt from a report on copies, and a mark is put into the others (X2)."""
    count, marks, first = 17500, 300, 2000000
    text = WORDS + [one + other for one in WORDS for other in WORDS]

    def batch(turn, seed, places=(), word="", rows_wanted=count):
        return of_one_length(rows(seed, rows_wanted, first + turn * 100000, mark=places, word=word, text=text), seed)

    def judge(name, data):
        """Rows named by each kind of finding."""
        case.write(case.drop + "/" + name, data)
        code, said = case.ingest(name, "big", "--schema", case.at("schemas/rows.schema.yaml"), "--source", "partner",
                                 "--format", "ndjson", "--limit-errors", "100000")
        os.remove(case.drop + "/" + name)
        found = collections.defaultdict(set)
        for line in said.split("\n"):
            if line.startswith("{") and "rowNumber" in line:
                finding = json.loads(line)
                found[finding["type"]].add(finding["rowNumber"])
        return code, found
    seed = source.randrange(10**6)
    judge("first.csv", batch(0, seed, rows_wanted=600))
    judge("second.csv", batch(1, seed + 1))
    named = judge("copies.csv", batch(2, seed + 1))[1]["copied-row"]
    case.note("the report on copies names %d of %d rows" % (len(named), count))
    others = [place for place in range(count) if place + 1 not in named]
    others = others if len(others) >= marks else list(range(count))
    # Two marks, so that none is known from the batch before.
    control, found = judge("control.csv", batch(3, seed + 2, source.sample(range(count), marks), "zqxj7 kw"))
    if control == 0 and len(found["trigger"]) < marks * 0.9:
        return [("broken", "marks at random places are not found: the scenario does not hold")]
    aimed, found = judge("marked.csv", batch(4, seed + 3, source.sample(others, marks), "vbpl4 tt"))
    case.note("marks at other places: %d of %d rows found" % (len(found["trigger"]), marks))
    if aimed == 0 and len(found["trigger"]) < marks * 0.9:
        return [("unproven", "of %d rows marked where the report named none, %d were found" % (marks, len(found["trigger"])))]
    return []


@scene("restorer")
def restore_without_a_key(case, source):
    """Neither --vkey nor a pinned key: nothing says whose backup it is."""
    shutil.rmtree(case.root + "/xdg")
    os.makedirs(case.root + "/xdg")
    target = case.root + "/out/new"
    code, _ = case.run("restore", case.root + "/backup", target)
    if code == 0 or os.path.exists(target + "/sluice.yaml"):
        return [("unproven", "a backup is taken although nothing says whose it is")]
    return []


@scene("restorer")
def backup_of_another(case, source):
    """A whole and well-signed backup of somebody else's store, for this one's."""
    case.run("backup", case.root + "/out/theirs", "--with-keys", "--store", case.root + "/foreign")
    text = case.read(case.root + "/out/theirs/sluice.yaml").decode()
    case.write(case.root + "/out/theirs/sluice.yaml", re.sub("origin: .*", "origin: " + case.stage.origin, text))
    target = case.root + "/out/new"
    code, _ = case.run("restore", case.root + "/out/theirs", target, *restore_key(case, source))
    if code == 0 or os.path.exists(target + "/sluice.yaml"):
        return [("unproven", "another store's backup is taken for this one's")]
    return []


@scene("restorer")
def damage_in_place_reaches_the_backup(case, source):
    """X14: what changes in the store later must not change in its backup."""
    case.run("backup", case.root + "/out/copy", "--store", case.store)
    for path in source.sample(sorted(case.stage.facts), 6):
        with open(case.at(path), "r+b") as file:
            file.write(b"damage")
    for path, fact in case.stage.facts.items():
        copy = case.root + "/out/copy/" + path
        if os.path.exists(copy) and hashlib.sha256(case.read(copy)).hexdigest() != fact["file_sha256"]:
            return [("outside", "damage in the store reached the backup: " + path)]
    return []


def restore_key(case, source):
    """The verifier key on the command line, where the program takes one; else the one that it pinned."""
    pinned = os.path.exists(case.root + "/xdg/sluice/known-ledgers")
    return ["--vkey", case.stage.vkey] if "--vkey" in case.stage.help["restore"] and not (pinned and source.random() < 0.5) else []


NOBODY = 65534


def as_nobody(body):
    """Runs a function in a process of another user; gives what it wrote, a text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(write, body().encode()[:60000])
        finally:
            os._exit(0)
    os.close(write)
    return child, read


def readable(folder, skip=()):
    """Files below a folder that this process can read or change."""
    found = []
    for path, folders, names in os.walk(folder):
        for name in names + folders:
            place = path + "/" + name
            if any(place.startswith(each) for each in skip):
                continue
            try:
                if stat.S_ISREG(os.lstat(place).st_mode):
                    open(place, "rb").close()
                    found.append(place)
            except OSError:
                pass
            if os.access(path, os.W_OK):
                found.append(path + " (to write)")
    return found


def open_to_all(case):
    """The way to the case is open, so that only the store's own rights keep others out; gives False without root."""
    if os.geteuid() != 0:
        return False
    path = case.root
    while len(path) > 4:
        os.chmod(path, 0o755)
        path = os.path.dirname(path)
        if path == os.path.dirname(case.stage.folder):
            break
    os.chmod(case.root + "/out", 0o755)
    return True


@scene("local")
def other_user_looks_on(case, source):
    """With a umask of 0, while commands run and afterwards, another user can read nothing of a store, a backup or a pinned key."""
    if not open_to_all(case):
        return None
    until = time.time() + 6
    folders = [case.store, case.root + "/out", case.root + "/xdg"]

    def body():
        found = set()
        while time.time() < until and not os.path.exists(case.root + "/drop/stop"):
            for folder in folders:
                found |= set(readable(folder))
            time.sleep(0.01)
        return "\n".join(sorted(found))
    child, pipe = as_nobody(body)
    store = case.root + "/out/fresh"
    shard = case.at(case.pick(source, "accepted"))
    calls = [("init", store), ("ingest", case.drop + "/good.csv", "--dataset", "d", "--store", case.store, "-q"),
             ("backup", case.root + "/out/copy", "--with-keys", "--store", case.store),
             ("restore", case.root + "/out/copy", case.root + "/out/restored", *restore_key(case, source)),
             ("lineage", "verify", "--store", case.store), ("keys", "generate", "--kind", "kek", "--name", "more", "--store", case.store),
             ("shard", "cat", shard, "--store", case.store, "--reason", "x", "-o", case.root + "/out/plain.csv"),
             ("watch", "--once", "--settle", "0.1", "--min-free", "0", "--store", case.store)]
    shutil.copy(case.drop + "/other.csv", case.at("inbox/s/other.csv"))
    for call in calls:
        case.run(*call, umask=0)
    case.write(case.drop + "/stop", b"", note=False)
    text = b""
    while part := os.read(pipe, 65536):
        text += part
    os.close(pipe)
    os.waitpid(child, 0)
    os.remove(case.drop + "/stop")
    child, pipe = as_nobody(lambda: "\n".join(each for folder in folders for each in readable(folder)))
    text += os.read(pipe, 65536)
    os.close(pipe)
    os.waitpid(child, 0)
    return [("outside", "another user can read " + each.replace(case.root, ""))
            for each in sorted(set(text.decode().split("\n")))[:5] if each]


@scene("local")
def other_user_runs_it(case, source):
    """Whoever cannot read the keys gets nothing out of the program."""
    if not open_to_all(case) or not shutil.which("setpriv") or as_whom(case.stage.program) != "yes":
        return None
    wrong = []
    shard = case.at(case.pick(source, "accepted"))
    for call in [("lineage", "log"), ("lineage", "verify", "--files"), ("status",), ("keys", "list"), ("doctor",)]:
        code, text = case.run(*call, "--store", case.store, before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], cwd="/")
        if code == 0 or "batch.judged" in text:
            wrong.append(("outside", "another user runs %s: exit %d" % (" ".join(call), code)))
    code, text = case.run("shard", "cat", shard, "--store", case.store, "--reason", "x", cwd="/",
                          before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    return wrong + ([("outside", "another user opens a shard")] if code == 0 else [])


def as_whom(program):
    child, pipe = as_nobody(lambda: "yes" if os.access(program, os.X_OK) else "no")
    text = os.read(pipe, 100).decode()
    os.close(pipe)
    os.waitpid(child, 0)
    return text


@scene("local")
def inbox_of_another_user(case, source):
    """An inbox that the supplier's user owns: links to what only the store's user may read, and names that change under the reader."""
    if not open_to_all(case):
        return None
    inbox = case.at("inbox/d")
    secret = case.victim + "/secret.csv"
    case.write(secret, rows(6, 60, 70000), note=False)
    os.chmod(secret, 0o600)
    for folder in [case.store, case.at("inbox"), inbox]:
        os.chmod(folder, 0o755)
    os.chown(inbox, NOBODY, NOBODY)
    until = time.time() + 1.2

    def body():
        for name, to in [("l.csv", secret), ("r.csv", "../../../victim/secret.csv"), ("k.csv", "../../keys/main.kek"),
                         ("z.csv", "/dev/zero")]:
            os.symlink(to, inbox + "/" + name)
        os.mkfifo(inbox + "/f.csv")
        # A plain file and a link by turns, under one name.
        while time.time() < until:
            try:
                with open(inbox + "/.x", "w") as file:
                    file.write("id,amount\n1,2\n")
                os.rename(inbox + "/.x", inbox + "/race.csv")
                os.symlink(secret, inbox + "/.y")
                os.rename(inbox + "/.y", inbox + "/race.csv")
            except OSError:
                pass
        return ""
    before = case.outside()
    child, pipe = as_nobody(body)
    for _ in range(3):
        case.watch()
    os.read(pipe, 10)
    os.close(pipe)
    os.waitpid(child, 0)
    content = hashlib.sha256(case.read(secret)).hexdigest()
    wrong = [("unproven", "a file that the supplier may not read was taken for its delivery")
             for _, data, _ in case.accepted() if data == content]
    return wrong + [("outside", each) for each in case.differences(before)]


@scene("local")
def links_where_temporary_files_are(case, source):
    tmp = case.root + "/tmp"
    os.chmod(tmp, 0o777)
    for name in ["sluice", "sluice.lock", "sluice-0", "sluice.sqlite", "etilqs_0", "ledger.sqlite-journal", "sluice-%d" % os.getpid()]:
        os.symlink("../victim/" + source.choice(["plain.txt", "made"]), tmp + "/" + name)
    before = case.outside()
    case.ingest("good.csv")
    case.run("scan", case.drop + "/good.csv")
    case.run("backup", case.root + "/out/copy", "--store", case.store)
    return [("outside", each) for each in case.differences(before)]
