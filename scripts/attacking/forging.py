"""What a forger of ledgers needs: Ed25519 (RFC 8032), the tree of RFC 6962, and a ledger's file opened past its guards."""
import base64, hashlib, json, os, sqlite3, stat

P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
CURVE = -121665 * pow(121666, P - 2, P) % P


def add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * CURVE % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(CURVE * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return x, y, 1, x * y % P


BASE = base_point()


def packed(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


class Signer:
    """A key of the attacker's own under any name."""

    def __init__(self, seed, name):
        self.name = name
        digest = hashlib.sha512(seed).digest()
        self.scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.prefix, self.public = digest[32:], packed(times(self.scalar, BASE))
        self.id = hashlib.sha256(name.encode() + b"\n\x01" + self.public).digest()[:4]
        self.text = "%s+%s+%s" % (name, self.id.hex(), base64.b64encode(b"\x01" + self.public).decode())

    def note(self, size, root):
        text = "%s\n%d\n%s\n" % (self.name, size, base64.b64encode(root).decode())
        message = text.encode()
        secret = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % ORDER
        point = packed(times(secret, BASE))
        challenge = int.from_bytes(hashlib.sha512(point + self.public + message).digest(), "little") % ORDER
        proof = point + ((secret + challenge * self.scalar) % ORDER).to_bytes(32, "little")
        return ("%s\n\u2014 %s %s\n" % (text, self.name, base64.b64encode(self.id + proof).decode())).encode()


def leaf_hash(body):
    return hashlib.sha256(b"\x00" + body).digest()


def tree(leaves):
    """Hashes of complete subtrees by level and place, and the root after each size."""
    nodes, roots, edge = {}, [hashlib.sha256(b"").digest()], []
    for place, leaf in enumerate(leaves):
        edge.append((0, leaf))
        while len(edge) > 1 and edge[-1][0] == edge[-2][0]:
            (level, left), (_, right) = edge[-2:]
            edge[-2:] = [(level + 1, hashlib.sha256(b"\x01" + left + right).digest())]
            nodes[level + 1, place >> level + 1] = edge[-1][1]
        root = edge[-1][1]
        for _, left in reversed(edge[:-1]):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        roots.append(root)
    return nodes, roots


class Book:
    """A ledger in the hands of somebody who may write to its file."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.triggers = self.db.execute("SELECT name, sql FROM sqlite_schema WHERE type='trigger'").fetchall()
        for name, _ in self.triggers:
            self.db.execute("DROP TRIGGER " + name)
        self.db.execute("BEGIN IMMEDIATE")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _, sql in self.triggers:
            self.db.execute(sql)
        self.db.execute("COMMIT")
        self.db.close()

    def __call__(self, sql, *values):
        return self.db.execute(sql, values).fetchall()

    def bodies(self, *kinds):
        """Sequence and parsed body of the entries of some kinds."""
        found = [(place, json.loads(bytes(body))) for place, body in self("SELECT seq, body FROM entry ORDER BY seq")]
        return [each for each in found if not kinds or each[1]["kind"] in kinds]

    def write(self, place, body, rehash=True, kind=True):
        data = json.dumps(body, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
        self("UPDATE entry SET body=? WHERE seq=?", data, place)
        if rehash:
            self("UPDATE entry SET leaf_hash=? WHERE seq=?", leaf_hash(data), place)
        if kind:
            self("UPDATE entry SET kind=? WHERE seq=?", body["kind"], place)

    def append(self, body):
        data = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        place = self("SELECT max(seq)+1 FROM entry")[0][0]
        self("INSERT INTO entry VALUES(?,?,?,?)", place, data, leaf_hash(data), body["kind"])
        return place

    def regrow(self, signer=None):
        """Makes the tree of the rows that are there, and signs every checkpoint anew if there is a signer."""
        leaves = [bytes(leaf) for leaf, in self("SELECT leaf_hash FROM entry ORDER BY seq")]
        nodes, roots = tree(leaves)
        self("DELETE FROM node")
        for (level, place), value in nodes.items():
            self("INSERT INTO node VALUES(?,?,?)", level, place, value)
        if not signer:
            return
        sizes = sorted({size for size, in self("SELECT size FROM checkpoint") if size <= len(leaves)} | {len(leaves)})
        self("DELETE FROM checkpoint")
        for size in sizes:
            self("INSERT INTO checkpoint VALUES(?,?,?)", size, roots[size], signer.note(size, roots[size]))


def look(path):
    """What stands in a ledger, read without SQLite's files beside it: those are the attacker's."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            data = bytearray(file.read())
        data[18:20] = b"\x01\x01"
        db = sqlite3.connect(":memory:")
        db.deserialize(bytes(data))
        tables = {}
        for table in ["entry", "node", "checkpoint", "blob", "prov_entity", "prov_activity", "prov_edge", "inflight", "seen"]:
            tables[table] = db.execute("SELECT * FROM %s ORDER BY 1, 2" % table).fetchall()
        return tables
    except (OSError, sqlite3.Error, IndexError):
        return None
