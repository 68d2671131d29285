"""A small log made in memory, by docs/formats.md and without a database: what verifiers are tried on.

Everything follows from the seed, to the byte. `Log` has hands for single steps, forgeries among them; `story` makes a
whole lot with its ancestors, phones, rotations and witnesses.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from trace.epcis import events as epcis
from trace.gs1.digital_link import class_uri
from trace.gs1.gtin import with_check_digit
from trace.ledger import merkle
from trace.ledger.canonical import canonical, parse
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.keyring import CUSTODY, device_message, enrol_message, rotate_message, thumbprint
from trace.ledger.merkle import Frontier, NodeId
from trace.ledger.note import COSIGNATURE, Note, Signer
from trace.ledger.proof import Proof
from trace.ledger.tiles import ENTRIES, encode_entries, encode_hashes, tiles_at

ORIGIN = "so.lang-mien.example/so"
START = dt.datetime(2026, 11, 2, 6, 30, tzinfo=dt.timezone(dt.timedelta(hours=7)))
SITE = with_check_digit("950600000010")
WITNESSED_AT = 1_795_000_000
"""Unix seconds of the first witness's cosignature; each further one is a second later."""


def gtin(number: int) -> str:
    """A product number under GS1's example prefix."""
    return with_check_digit(f"09506000{number:05d}")


TUBER, STARCH, NOODLE, PACK, OTHER = (gtin(number) for number in range(201, 206))


def b64(data: bytes) -> str:
    """Padded base64."""
    return base64.b64encode(data).decode()


@dataclass
class Phone:
    """A phone with a key of its own: `crv` is Ed25519 or P-256."""

    crv: str
    seed: bytes
    seq: int = 0

    @property
    def _ec(self) -> ec.EllipticCurvePrivateKey:
        # Far below the curve's order, which begins with 32 set bits.
        return ec.derive_private_key(int.from_bytes(self.seed[:31], "big") + 1, ec.SECP256R1())

    @property
    def jwk(self) -> dict[str, str]:
        """The public key, with its required members only."""
        if self.crv == "Ed25519":
            raw = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
            return {"crv": "Ed25519", "kty": "OKP", "x": _url(raw)}
        point = self._ec.public_key().public_numbers()
        x, y = (_url(one.to_bytes(32, "big")) for one in (point.x, point.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    @property
    def key(self) -> str:
        """Its name: the thumbprint."""
        return thumbprint(self.jwk)

    def sign(self, message: bytes) -> str:
        """As WebCrypto signs, in base64; the same each time."""
        if self.crv == "Ed25519":
            return b64(Ed25519PrivateKey.from_private_bytes(self.seed).sign(message))
        der = self._ec.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        return b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Log:
    """A log in memory. Entries are made by the methods below, or put in as they are by `add` and `add_bytes`."""

    seed: int = 1
    origin: str = ORIGIN
    entries: list[bytes] = field(default_factory=list)
    heads: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    drawn: int = 0

    def __post_init__(self) -> None:
        self.ledger_keys = [self.signer(self.origin)]
        """Those that sign checkpoints now: two in an overlap."""
        self.vkeys = [self.ledger_keys[0].verifier.vkey]
        """Every ledger key there ever was, oldest first."""
        self.custodian = self.signer(f"{self.origin}/custodian")
        self.witnesses = [
            Signer.from_seed(f"nhan-chung.example/w{n}", self.draw(f"witness {n}"), COSIGNATURE) for n in range(3)
        ]
        self.phones = {
            "ed": Phone("Ed25519", self.draw("phone ed")),
            "p256": Phone("P-256", self.draw("phone p256")),
            "lost": Phone("Ed25519", self.draw("phone lost")),
        }
        vkey = self.custodian.verifier.vkey
        self.add({"type": "key", "key": {"role": "custodian", "status": "enrolled", "vkey": vkey}})

    # What is drawn

    def draw(self, what: str) -> bytes:
        """32 bytes that follow from the seed and the name."""
        return hashlib.sha256(f"soi proofs {self.seed} {what}".encode()).digest()

    def signer(self, name: str, generation: int = 0) -> Signer:
        """An Ed25519 key under this name."""
        return Signer.from_seed(name, self.draw(f"key {name} {generation}"))

    def _uuid(self) -> UUID:
        self.drawn += 1
        number = int.from_bytes(self.draw(f"id {self.drawn}")[:16], "big")
        # Version 7, variant 10, as the phones make them.
        return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 7 << 76 | 2 << 62)

    # Entries

    def add(
        self,
        members: Mapping[str, Any],
        batches: Sequence[str] = (),
        *,
        phone: Phone | None = None,
        claim: Mapping[str, Any] | None = None,
    ) -> int:
        """Put an entry on the log, signed by `phone` for its `claim`, else by the custodian. Returns its index."""
        index = len(self.entries)
        recorded = (START + dt.timedelta(minutes=index)).astimezone(dt.UTC)
        record: dict[str, Any] = {
            "v": 1,
            "type": "event",
            "event": None,
            "chain": [self._link(batch) for batch in batches],
            "recordedAt": recorded.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "commitments": {"member": b64(self.draw(f"commitment {index}"))},
            **members,
        }
        if phone is not None and claim is not None:
            phone.seq += 1
            record["device"] = self.device_part(phone, phone.seq, claim)
        else:
            signature = self.custodian.private_key.sign(CUSTODY + canonical(record["event"]))
            record["custodian"] = {"key": self.custodian.verifier.key_id.hex(), "sig": b64(signature)}
        return self.add_bytes(canonical(record))

    def add_bytes(self, body: bytes) -> int:
        """Put these very bytes on the log, whatever they say; chains go on from what they say of themselves."""
        self.entries.append(body)
        for link in parse(body)["chain"]:
            self.heads[link["batch"]] = (link["seq"], merkle.leaf_hash(body))
        return len(self.entries) - 1

    def device_part(self, phone: Phone, seq: int, claim: Mapping[str, Any]) -> dict[str, Any]:
        """The `device` member of an entry."""
        signature = phone.sign(device_message(self.origin, phone.key, seq, claim))
        return {"claim": dict(claim), "key": phone.key, "seq": seq, "sig": signature}

    def _link(self, batch: str) -> dict[str, Any]:
        seq, leaf = self.heads.get(batch, (-1, None))
        return {"batch": batch, "seq": seq + 1, "prev": None if leaf is None else b64(leaf)}

    # Keys

    def enrol(self, phone: Phone) -> int:
        """A phone's key goes on the log."""
        proof = phone.sign(enrol_message(self.origin, phone.jwk))
        key = {"role": "device", "status": "enrolled", "key": phone.key, "jwk": phone.jwk, "proof": proof}
        return self.add({"type": "key", "key": key})

    def end(self, phone: Phone, status: str = "revoked") -> int:
        """A phone's key signs no more; `status` is revoked or lost."""
        return self.add({"type": "key", "key": {"role": "device", "status": status, "key": phone.key}})

    def rotate_ledger(self) -> int:
        """Begin an overlap: from here on the old and the new ledger key sign checkpoints."""
        old, new = self.ledger_keys[-1], self.signer(self.origin, len(self.vkeys))
        self.ledger_keys = [old, new]
        self.vkeys.append(new.verifier.vkey)
        return self.add({"type": "key", "key": self._rotation("ledger", old, new)})

    def retire_ledger(self) -> int:
        """End the overlap: the old ledger key signs no more."""
        old, new = self.ledger_keys
        self.ledger_keys = [new]
        return self.add({"type": "key", "key": {"role": "ledger", "status": "retired", "vkey": old.verifier.vkey}})

    def rotate_custodian(self) -> int:
        """A new custodian's key, which signs the entry that says so."""
        old, new = self.custodian, self.signer(f"{self.origin}/custodian", len(self.entries))
        self.custodian = new
        return self.add({"type": "key", "key": self._rotation("custodian", old, new)})

    def _rotation(self, role: str, old: Signer, new: Signer) -> dict[str, Any]:
        replaces, vkey = old.verifier.vkey, new.verifier.vkey
        message = rotate_message(self.origin, role, replaces, vkey)
        sigs = [b64(one.private_key.sign(message)) for one in (old, new)]
        return {"role": role, "status": "enrolled", "vkey": vkey, "replaces": replaces, "sigs": sigs}

    # Events

    def harvest(self, lot: str, grams: int, phone: Phone | None = None, photos: Sequence[str] = ()) -> int:
        """Tubers from the field."""
        made = epcis.grams(lot, grams)
        ilmd = epcis.Ilmd(produced=START.date(), harvested=START.date(), origin_country="VN")
        return self._event("harvest", lambda core: epcis.harvest(core, made, ilmd), (), (made,), phone, photos=photos)

    def transform(
        self, inputs: Sequence[str], output: str, grams: int, phone: Phone | None = None, stage: str = "grind"
    ) -> int:
        """One lot made of others, a kilo of each."""
        used, made = tuple(epcis.grams(lot, 1000) for lot in inputs), epcis.grams(output, grams)
        return self._event(stage, lambda core: epcis.transform(core, used, (made,)), used, (made,), phone)

    def pack(self, inputs: Sequence[str], output: str, packs: int, phone: Phone | None = None) -> int:
        """Noodles put into packs."""
        used, made = tuple(epcis.grams(lot, 500 * packs) for lot in inputs), epcis.packs(output, packs)
        return self._event("pack", lambda core: epcis.pack(core, used, (made,)), used, (made,), phone)

    def inspect(self, lot: str, phone: Phone | None = None, passed: bool = True) -> int:
        """An inspection of a kilo, with a reading of its moisture and a note."""
        about, reading = epcis.grams(lot, 1000), epcis.Reading("Moisture", Decimal("12.5"), "P1")
        return self._event(
            "inspect", lambda core: epcis.inspect(core, (about,), passed), (about,), (), phone,
            readings=(reading,), passed=passed, note=b64(self.draw(f"note {len(self.entries)}")),
        )  # fmt: skip

    def dispatch(self, lot: str, packs: int, phone: Phone | None = None) -> int:
        """Packs on their way to a buyer."""
        gone = epcis.packs(lot, packs)
        return self._event("dispatch", lambda core: epcis.dispatch(core, (gone,)), (gone,), (), phone)

    def correct(self, index: int) -> int:
        """Say that event `index` was told wrong."""
        told = parse(self.entries[index])
        declaration = epcis.ErrorDeclaration(START + dt.timedelta(days=1), "incorrect_data")
        batches = [link["batch"] for link in told["chain"]]
        return self.add({"type": "correction", "event": epcis.correct(told["event"], declaration)}, batches)

    def _event(
        self,
        stage: str,
        make: Any,
        inputs: Sequence[epcis.Amount],
        outputs: Sequence[epcis.Amount],
        phone: Phone | None,
        *,
        readings: Sequence[epcis.Reading] = (),
        photos: Sequence[str] = (),
        passed: bool | None = None,
        note: str = "",
    ) -> int:
        identity = self._uuid()
        core = epcis.Core(
            identity, START + dt.timedelta(minutes=len(self.entries)), read_point=SITE, biz_location=SITE,
            readings=tuple(readings), extra={"soi:process": "mien-dong/1", "soi:stage": stage},
        )  # fmt: skip
        claim: dict[str, Any] = {
            "id": str(identity),
            "process": "mien-dong",
            "stage": stage,
            "occurred_at": epcis.timestamp(core.time),
            "site": SITE,
            "inputs": [{"batch": one.lot, **_amount(one)} for one in inputs],
            "outputs": [_made(one) for one in outputs],
            "readings": [{"type": one.type, "value": float(one.value), "unit": one.uom} for one in readings],
            "photos": list(photos),
        }
        commitments = {"member": b64(self.draw(f"commitment {len(self.entries)}"))}
        if passed is not None:
            claim["passed"] = passed
        if note:
            claim["commitments"] = {"note": note}
            commitments["note"] = note
        members: dict[str, Any] = {"event": make(core), "commitments": commitments}
        if photos:
            members["photos"] = list(photos)
        return self.add(members, [one.lot for one in (*inputs, *outputs)], phone=phone, claim=claim)

    # What is published

    def checkpoint(
        self, size: int | None = None, *, signers: Sequence[Signer] | None = None, witnesses: int = 3
    ) -> str:
        """The checkpoint of the first `size` entries, signed by today's ledger keys, with cosignatures."""
        size = len(self.entries) if size is None else size
        root = merkle.root_of([merkle.leaf_hash(entry) for entry in self.entries[:size]])
        text = Checkpoint(self.origin, size, root).format()
        lines = [one.sign(text) for one in (self.ledger_keys if signers is None else signers)]
        lines += [one.sign(text, WITNESSED_AT + n) for n, one in enumerate(self.witnesses[:witnesses])]
        return Note(text, tuple(lines)).format()

    def path(self, index: int, size: int) -> tuple[bytes, ...]:
        """The inclusion path of entry `index` among the first `size`."""
        nodes = self._nodes(size)
        return merkle.inclusion_path(index, size, lambda level, number: nodes[NodeId(level, number)])

    def _nodes(self, size: int) -> dict[NodeId, bytes]:
        leaves = [merkle.leaf_hash(entry) for entry in self.entries[:size]]
        nodes = {NodeId(0, index): leaf for index, leaf in enumerate(leaves)}
        return nodes | {NodeId(n.level, n.number): n.hash for n in Frontier().extend(leaves)[1]}

    def receipt(self, index: int, checkpoint: str | None = None) -> str:
        """The .tlog-proof of an entry, with the entry's bytes in it."""
        note = self.checkpoint() if checkpoint is None else checkpoint
        return Proof(index, self.path(index, int(note.split("\n")[1])), note, self.entries[index]).format()

    def indexes(self, lot: str) -> list[int]:
        """The entries that a lot proof of `lot` holds, as docs/formats.md says."""
        records = [parse(entry) for entry in self.entries]
        wanted, seen = [lot], set[str]()
        found: set[int] = set()
        while wanted:
            batch = wanted.pop()
            seen.add(batch)
            for index, record in enumerate(records):
                if any(link["batch"] == batch for link in record["chain"]):
                    found.add(index)
                    wanted += [one for one in _made_of(record["event"], batch) if one not in seen]
        keys = {records[index].get("device", {}).get("key") for index in found}
        for index, record in enumerate(records):
            if record["type"] == "key" and (record["key"]["role"] != "device" or record["key"]["key"] in keys):
                found.add(index)
        return sorted(found)

    def lot_proof(
        self, lot: str, checkpoint: str | None = None, indexes: Sequence[int] | None = None
    ) -> dict[str, Any]:
        """The lot proof of `lot` as an object, for a forger to change; `canonical(…, limit=…)` makes its bytes."""
        note = self.checkpoint() if checkpoint is None else checkpoint
        size = int(note.split("\n")[1])
        nodes = self._nodes(size)
        entries = [
            {
                "index": index,
                "entry": b64(self.entries[index]),
                "path": [
                    b64(one)
                    for one in merkle.inclusion_path(index, size, lambda level, number: nodes[NodeId(level, number)])
                ],
            }
            for index in (self.indexes(lot) if indexes is None else indexes)
            if index < size
        ]
        return {"format": "soi-lot-proof/v1", "lot": lot, "checkpoint": note, "entries": entries}

    def policy(self, quorum: str = "2") -> str:
        """A policy file (C2SP tlog-policy) that asks for so many of the three witnesses (`all`, `any` or a number)."""
        logs = [f"log {vkey}" for vkey in reversed(self.vkeys)]
        names = [f"w{n}" for n in range(len(self.witnesses))]
        told = [f"witness {name} {one.verifier.vkey}" for name, one in zip(names, self.witnesses, strict=True)]
        return "\n".join([*logs, *told, f"group lang {quorum} {' '.join(names)}", "quorum lang"]) + "\n"

    def tree(self, checkpoint: str | None = None) -> dict[str, bytes]:
        """The log as static files under /ledger/: path → bytes. Checkpoint, keys, policy, tiles and entry bundles."""
        note = self.checkpoint() if checkpoint is None else checkpoint
        size = int(note.split("\n")[1])
        nodes = self._nodes(size)
        files = {
            tile.format(): encode_entries(self.entries[tile.start : tile.start + tile.width])
            if tile.level == ENTRIES
            else encode_hashes([nodes[node] for node in tile.nodes])
            for tile in tiles_at(size)
        }
        keys = "".join(f"{vkey}\n" for vkey in reversed(self.vkeys))
        return files | {"checkpoint": note.encode(), "keys": keys.encode(), "policy": self.policy().encode()}


def document(proof: Mapping[str, Any]) -> bytes:
    """The bytes of a lot proof: its one canonical form."""
    return canonical(proof, limit=64 * 1024 * 1024)


def _amount(one: epcis.Amount) -> dict[str, int]:
    return {"units": one.quantity} if one.uom is None else {"grams": one.quantity}


def _made(one: epcis.Amount) -> dict[str, Any]:
    _, _, tail = one.lot.partition("/01/")
    product, _, lot = tail.partition("/10/")
    return {"product": product, "lot": lot, **_amount(one)}


def _made_of(event: Mapping[str, Any] | None, batch: str) -> list[str]:
    if event is None or event["type"] != "TransformationEvent":
        return []
    if all(part["epcClass"] != batch for part in event["outputQuantityList"]):
        return []
    return [part["epcClass"] for part in event["inputQuantityList"]]


@dataclass
class Story:
    """A log with a lot on it, and what stands where."""

    log: Log
    lot: str
    """The packs' canonical Digital Link."""
    ancestors: tuple[str, ...]
    early: str
    """A checkpoint from the middle of the story, before the ledger's key was rotated."""
    pack: int
    """The entry by which the lot was made: signed by the Ed25519 phone."""


def story(seed: int = 1, ancestors: int = 5) -> Story:
    """A lot of packs and the lots behind it (at least 3: tubers, starch, noodles), among entries of other lots.

    Two phones sign, a third is lost on the way, the custodian signs for who has none; one event is corrected; the
    custodian's key and the ledger's are rotated, the latter with an overlap. Three witnesses cosign.
    """
    if ancestors < 3:
        raise ValueError("packs are made of noodles, those of starch, and that of tubers")
    log = Log(seed)
    for phone in log.phones.values():
        log.enrol(phone)
    ed, p256, lost = log.phones["ed"], log.phones["p256"], log.phones["lost"]
    hands = (ed, p256, lost, None)
    starches = max(1, (ancestors - 1) // 5)
    tubers = [class_uri(TUBER, f"BL26M-C{n:03d}") for n in range(ancestors - 1 - starches)]
    starch = [class_uri(STARCH, f"BL26M-B{n:03d}") for n in range(starches)]
    noodle, lot = class_uri(NOODLE, "BL26M-M001"), class_uri(PACK, "BL26M-7K3Q9")
    for number, tuber in enumerate(tubers):
        log.harvest(tuber, 50_000, hands[number % 4], photos=[hashlib.sha256(b"%d" % number).hexdigest()])
        log.harvest(class_uri(OTHER, f"BL26M-K{number:03d}"), 30_000, hands[(number + 1) % 4])
    log.end(lost, "lost")
    for number, one in enumerate(starch):
        log.transform(tubers[number::starches], one, 9_000, p256)
    log.rotate_custodian()
    early = log.checkpoint()
    log.rotate_ledger()
    wrong = log.inspect(starch[0])
    log.correct(wrong)
    log.transform(starch, noodle, 8_000, None, stage="extrude")
    log.retire_ledger()
    log.inspect(noodle, p256)
    pack = log.pack([noodle], lot, 16, ed)
    log.dispatch(lot, 4)
    log.harvest(class_uri(OTHER, "BL26M-K999"), 30_000, p256)
    return Story(log, lot, (*tubers, *starch, noodle), early, pack)



def small(seed: int = 2) -> Story:
    """As little as a lot proof can be: tubers by the custodian, packs by a phone, one cosignature."""
    log = Log(seed)
    phone = log.phones["ed"]
    log.enrol(phone)
    tuber, lot = class_uri(TUBER, "BL26M-C000"), class_uri(PACK, "BL26M-7K3Q9")
    log.harvest(tuber, 50_000)
    early = log.checkpoint(witnesses=1)
    pack = log.pack([tuber], lot, 16, phone)
    return Story(log, lot, (tuber,), early, pack)
