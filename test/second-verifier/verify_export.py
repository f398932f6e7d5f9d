"""A second verifier of exports, written from docs/AUDIT.md ("An export") alone: it shares no line with the first.

Reads cases from standard input, a JSON object a line: {"export": base64, "keys": [text], "against": text or null,
"beside": {name: text}}. Writes "holds" or "refused: why" for each. The numbers in comments are those of the document's list.
"""

import base64
import functools
import hashlib
import json
import re
import sys


class Refused(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Refused(why)


def sha(data):
    return hashlib.sha256(data).digest()


# Ed25519, as RFC 8032 (5.1.7 and its appendix A) has it.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    w, x, y, z = f - e, h - g, h + g, f + e
    return (w * x % P, y * z % P, x * y % P, w * z % P)


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def x_of(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P != 0:
        return None
    return P - x if (x & 1) != sign else x


def point_of(data):
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    x = x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = x_of(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


@functools.lru_cache(maxsize=4096)
def is_signed(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = point_of(public), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def b64(text):
    need(isinstance(text, str) and text.isascii(), "no base64")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("no base64")
    need(base64.b64encode(data).decode() == text, "base64 has another spelling")
    return data


def no_constant(name):
    raise ValueError(name)


def parse(text):
    try:
        return json.loads(text, parse_constant=no_constant)
    except (ValueError, TypeError, RecursionError):
        raise Refused("no JSON")


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# 2: verifier keys. A key is known by its name and its 32 bytes; its id depends on the kind.
def key_id(name, kind, public):
    return sha(name.encode() + b"\n" + bytes([kind]) + public)[:4]


def parse_key(text):
    match = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text) if isinstance(text, str) else None
    need(match, "no verifier key")
    name, shown, rest = match.group(1), match.group(2), b64(match.group(3))
    need(len(rest) == 33 and rest[0] in (1, 4), "no verifier key of a known kind")
    need(key_id(name, rest[0], rest[1:]).hex() == shown, "the verifier key has another id")
    return (name, rest[1:])


# 3: notes.
class Note:
    def __init__(self, note):
        need(isinstance(note, str) and "\n\n" in note and note.endswith("\n"), "no note")
        text, _, lines = note.rpartition("\n\n")
        self.text = text + "\n"
        self.signatures = []
        for line in lines[:-1].split("\n"):
            match = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)", line)
            need(match, "no signature")
            data = b64(match.group(2))
            self.signatures.append((match.group(1), data[:4], data[4:]))

    def signers(self, keys):
        """The keys that signed, one for each signature of theirs; one that does not hold is refused."""
        found = []
        message = self.text.encode()
        for name, shown, signature in self.signatures:
            for key in keys:
                for kind in (1, 4):
                    if key[0] != name or key_id(key[0], kind, key[1]) != shown:
                        continue
                    signed, said = signature, message
                    if kind == 4:
                        need(len(signature) == 72, "a signature with a time has 72 bytes")
                        signed = signature[8:]
                        said = b"cosignature/v1\ntime %d\n" % int.from_bytes(signature[:8], "big") + message
                    need(is_signed(key[1], said, signed), "a signature does not hold")
                    found.append((key, name, shown))
        return found


# 4: checkpoints, and trees that go on from others.
def parse_checkpoint(text):
    lines = text.split("\n")
    need(len(lines) >= 4 and lines[0] != "" and re.fullmatch("0|[1-9][0-9]*", lines[1]), "no checkpoint")
    return lines[0], int(lines[1]), b64(lines[2])


def node(left, right):
    return sha(b"\x01" + left + right)


def is_in_tree(index, size, leaf, proof, root):
    """RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def goes_on(first, first_root, second, second_root, proof):
    """RFC 9162, 2.1.4.2."""
    if first == second:
        return proof == [] and first_root == second_root
    if not 0 < first < second or proof == []:
        return False
    if first & (first - 1) == 0:
        proof = [first_root] + proof
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == first_root and sr == second_root and sn == 0


# 1: lines.
TEXT, NUMBER, TRUTH, LIST, OBJECT = range(5)
MEMBERS = {
    "export": {"version": NUMBER, "origin": TEXT, "user": TEXT, "exportedAt": TEXT},
    "key": {"verifierKey": TEXT},
    "checkpoint": {"note": TEXT},
    "older": {"note": TEXT, "proof": LIST},
    "stream": {"stream": TEXT, "events": NUMBER, "whole": TRUTH},
    "event": {
        "index": NUMBER, "stream": TEXT, "revision": NUMBER, "id": TEXT,
        "type": TEXT, "data": TEXT, "metadata": TEXT, "proof": LIST,
    },
    "snapshot": {"moment": TEXT, "cause": OBJECT},
    "file": {"name": TEXT, "sha256": TEXT},
    "signature": {"note": TEXT},
}
ORDER_OF_KINDS = list(MEMBERS)


def is_of(value, shape):
    if shape == NUMBER:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if shape == OBJECT:
        return value is None or isinstance(value, dict)
    return isinstance(value, {TEXT: str, TRUTH: bool, LIST: list}[shape])


def read_lines(data):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("no UTF-8")
    need(text.endswith("\n"), "the last line is cut")
    lines = [parse(line) for line in text[:-1].split("\n")]
    by_kind = {kind: [] for kind in ORDER_OF_KINDS}
    reached = 0
    for line in lines:
        need(isinstance(line, dict) and line.get("kind") in MEMBERS, "no line of an export")
        place = ORDER_OF_KINDS.index(line["kind"])
        need(place >= reached, "lines in another order")
        reached = place
        for name, shape in MEMBERS[line["kind"]].items():
            need(name in line and is_of(line[name], shape), "a member is missing or of another form")
        by_kind[line["kind"]].append(line)
    for kind in ("export", "checkpoint", "signature"):
        need(len(by_kind[kind]) == 1, f"not one line {kind}")
    need(by_kind["export"][0]["version"] == 1, "another version")
    return by_kind, len(lines)


def whole(number):
    need(number == int(number) and 0 <= number < 2**53, "no whole number")
    return int(number)


# 5, 6, 7: events.
def check_events(events, streams, size, root):
    ends = {line["stream"]: (-1, "0" * 64, 0) for line in streams}
    is_whole = {line["stream"]: line["whole"] for line in streams}
    before = -1
    for event in events:
        index, revision = whole(event["index"]), whole(event["revision"])
        need(index > before and event["stream"] in ends, "an event is out of order, or of no stream")
        before = index
        parse(event["data"])
        metadata = parse(event["metadata"])
        need(isinstance(metadata, dict), "metadata are no object")
        own, previous = metadata.get("hash"), metadata.get("prevHash")
        need(isinstance(own, str) and isinstance(previous, str), "no links")
        marked = f'"hash":"{own}",'
        need(event["metadata"].count(marked) == 1, "the hash does not stand in its place")
        hashed = (
            f'{{"data":{event["data"]},"metadata":{event["metadata"].replace(marked, "")},"prevHash":{dump(previous)},'
            f'"revision":{revision},"stream":{dump(event["stream"])},"type":{dump(event["type"])}}}'
        )
        need(sha(hashed.encode()).hex() == own, "an event has another hash")
        last, end, count = ends[event["stream"]]
        if is_whole[event["stream"]]:
            need(revision == last + 1 and previous == end, "an event does not follow in its stream")
        ends[event["stream"]] = (revision, own, count + 1)
        leaf = sha(b"\x00" + f'tenure-event/v1\n{index}\n{event["id"]}\n{own}\n'.encode())
        need(is_in_tree(index, size, leaf, [b64(each) for each in event["proof"]], root), "an event is not in the tree")
    for line in streams:
        need(ends[line["stream"]][2] == line["events"], "a stream has more or fewer events")


def verify(data, keys, against, beside):
    given = [parse_key(text) for text in keys]
    lines, count = read_lines(data)
    origin = lines["export"][0]["origin"]
    listed = [parse_key(line["verifierKey"]) for line in lines["key"]]
    known = list(dict.fromkeys(given + listed))
    trusted = given if given else listed

    note = Note(lines["checkpoint"][0]["note"])
    name, size, root = parse_checkpoint(note.text)
    need(name == origin, "a checkpoint of another log")
    signed = note.signers(known)
    heads = {size: root}
    for line in lines["older"]:
        older_name, older_size, older_root = parse_checkpoint(Note(line["note"]).text)
        proof = [b64(each) for each in line["proof"]]
        need(older_name == origin and goes_on(older_size, older_root, size, root, proof), "no continuation")
        heads.setdefault(older_size, older_root)

    check_events(lines["event"], lines["stream"], size, root)
    # 8
    ids = {event["id"] for event in lines["event"]}
    for snapshot in lines["snapshot"]:
        cause = snapshot["cause"]
        if cause is not None and cause.get("kind") == "event" and cause.get("recordedAt") is not None:
            need(cause.get("id") in ids, "the event behind a snapshot is missing")
    # 9
    said = lines["signature"][0]["note"]
    last = (dump({"kind": "signature", "note": said}) + "\n").encode()
    need(data.endswith(last), "the last line has another spelling")
    before = data[: len(data) - len(last)]
    statement = Note(said)
    expected = f"tenure audit export v1\n{origin}\n{count - 1}\n{base64.b64encode(sha(before)).decode()}\n"
    need(statement.text == expected, "something else is signed")
    stated = statement.signers(known)
    need(len(stated) == len(statement.signatures), "a signature of a stranger")
    # 3 and 9
    for signers in (signed, stated):
        need(any(key in trusted and key[0] == origin for key, _, _ in signers), "signed by no trusted key")
    for key in given:
        need(key[0] == origin or any(key == other for other, _, _ in signed), "a witness did not sign")
    # 10
    for line in lines["file"]:
        need(re.fullmatch("[a-z][a-z.-]*", line["name"]), "a file elsewhere")
        if line["name"] in beside:
            need(sha(beside[line["name"]].encode()).hex() == line["sha256"], "a file beside it is another one")
    if against is not None:
        kept = Note(against)
        kept_name, kept_size, kept_root = parse_checkpoint(kept.text)
        need(kept_name == origin and kept.signers(known) != [], "the kept checkpoint is not of this log")
        need(heads.get(kept_size) == kept_root, "the kept checkpoint is not proved")


for case_line in sys.stdin:
    case = json.loads(case_line)
    try:
        verify(base64.b64decode(case["export"]), case["keys"], case["against"], case["beside"])
        print("holds")
    except Refused as refused:
        print(f"refused: {refused}")
