"""One season, told through the same services that producers use: harvests, losses, a correction, a failed inspection.

Amounts and days are fixed, so that two demos tell the same story; days count back from today.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

from sqlalchemy import select

from batches.evidence.fields import ReportFields
from batches.evidence.reports import add_report
from batches.evidence.services import take_photo
from batches.stages.corrections import Correction, as_wanted, correct, event_for
from batches.stages.services import record_stage
from batches.stages.wanted import Make, Measure, Take, Wanted
from shop.demo import pictures, sensors
from village import clock
from village.db import db
from village.people.access import Actor
from village.people.models import Member
from village.places.models import Site, SiteKind
from village.products.models import Product

NAMESPACE = uuid.UUID("5f0b7a3e-50a1-4d20-9506-000000000001")
DRYER, SENSORS_SINCE = "producer", 20
"""Whose dryer has sensors, and for how many days."""
MEASURED = frozenset(("m09-kho", "k-kho1"))
"""What was dried there since."""
SAMPLED, REPORTED = "m09-kho", 12.5
"""What a laboratory measured, and how many days ago."""
RECORDED_AFTER = dt.timedelta(minutes=25)
"""How long after a stage the household gets to its phone."""


def demo_id(name: str) -> str:
    """A fixed UUID for a thing of the demo."""
    return str(uuid.uuid5(NAMESPACE, name))


def actor(username: str) -> Actor:
    """A member of the demo, as authorisation sees him."""
    member = db.session.scalars(select(Member).where(Member.username == username)).one()
    roles = frozenset(role.role for role in member.roles)
    return Actor(member.id, member.username, member.name, roles, member.cooperative_id, member.household_id)


@dataclass(frozen=True)
class Step:
    """One stage on one day. Amounts in kilograms, packs in units; `takes` and `makes` name batches of this story."""

    day: float
    """Days before today."""
    who: str
    stage: str
    process: str = "mien-dong"
    takes: dict[str, float] = field(default_factory=dict)
    makes: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Name → (product's slug, kilograms or packs)."""
    moisture: str = ""
    note: str = ""
    passed: bool | None = None
    place: SiteKind = "workshop"
    shared: bool = False
    """At the cooperative's own place, not at the household's."""
    photo: bool = False
    facts: dict[str, str] = field(default_factory=dict)
    dong: int | None = None
    """What it cost or brought in."""
    corrects: str = ""
    """Name of the step that this one tells again."""
    name: str = ""


def mien(
    tag: str, who: str, day: float, tubers: float, *, share: float = 0.25, noodles: float = 0.13, big: int = 0,
    small: int = 0, moisture: str = "13.2", note: str = "", inspect: bool = True, shown: bool = False,
) -> list[Step]:  # fmt: skip
    """A whole story of miến dong from one harvest; `share` is the wet starch in the tubers. `shown`: with photos, and
    packed in the cooperative's workshop."""
    wet = round(tubers * share, 1)
    sheets, rested = round(wet * 1.15, 1), round(wet * 0.6, 1)
    dry = round(tubers * noodles, 1)
    cut = min(round(dry / 0.9, 1), rested * 0.98)
    steps = [
        Step(day, who, "harvest", makes={f"{tag}-cu": ("tuber", tubers)}, place="field", name=f"{tag}-harvest"),
        Step(day - 1, who, "settle", takes={f"{tag}-cu": tubers}, makes={f"{tag}-uot": ("wet-starch", wet)},
             moisture="45", note=note),
        Step(day - 2, who, "steam", takes={f"{tag}-uot": wet}, makes={f"{tag}-banh": ("sheets", sheets)}),
        Step(day - 2.6, who, "rest", takes={f"{tag}-banh": sheets}, makes={f"{tag}-u": ("rested-sheets", rested)}),
        Step(day - 3, who, "cut", takes={f"{tag}-u": rested}, makes={f"{tag}-soi": ("strands", cut)},
             note=note or "Một ít bánh rách lúc gỡ, bỏ ra."),
        Step(day - 3.4, who, "dry", takes={f"{tag}-soi": cut}, makes={f"{tag}-kho": ("noodles", dry)},
             moisture=moisture, note=note),
    ]  # fmt: skip
    if inspect:
        steps.append(Step(day - 4, who, "inspect", takes={f"{tag}-kho": 0}, moisture=moisture))
    if small:
        steps.append(Step(day - 5, who, "pack", takes={f"{tag}-kho": round(small * 0.505, 1)}, shared=shown,
                          makes={f"{tag}-500": ("mien-500", small)}))  # fmt: skip
    if big:
        steps.append(Step(day - 5.2, who, "pack", takes={f"{tag}-kho": round(big * 1.01, 1)}, shared=shown,
                          makes={f"{tag}-1000": ("mien-1000", big)}))  # fmt: skip
    return [replace(step, photo=step.stage in pictures.SCENES) for step in steps] if shown else steps


def tea(tag: str, who: str, day: float, leaf: float, packs: int) -> list[Step]:
    """A picking of tea, to its packs."""
    rolled, dry = round(leaf * 0.62, 1), round(leaf * 0.22, 1)
    step = partial(Step, process="che-tam-duong")
    return [
        step(day, who, "pick", makes={f"{tag}-bup": ("fresh-leaf", leaf)}, place="field"),
        step(day - 0.4, who, "roll", takes={f"{tag}-bup": leaf}, makes={f"{tag}-vo": ("rolled-leaf", rolled)}),
        step(day - 0.7, who, "dry", takes={f"{tag}-vo": rolled}, makes={f"{tag}-che": ("tea", dry)}, moisture="5.4"),
        step(day - 1.2, who, "inspect", takes={f"{tag}-che": 0}, moisture="5.4"),
        step(day - 2, who, "pack", takes={f"{tag}-che": round(packs * 0.202, 1)},
             makes={f"{tag}-200": ("che-200", packs)}),
    ]  # fmt: skip


def rice(tag: str, who: str, day: float, paddy: float, packs: int) -> list[Step]:
    """A harvest of rice, to its sacks."""
    dry, milled = round(paddy * 0.86, 1), round(paddy * 0.56, 1)
    step = partial(Step, process="gao-seng-cu")
    return [
        step(day, who, "harvest", makes={f"{tag}-thoc": ("fresh-paddy", paddy)}, place="field"),
        step(day - 3, who, "dry", takes={f"{tag}-thoc": paddy}, makes={f"{tag}-kho": ("dry-paddy", dry)},
             moisture="13"),
        step(day - 8, who, "mill", takes={f"{tag}-kho": dry}, makes={f"{tag}-gao": ("rice", milled)}),
        step(day - 8.5, who, "inspect", takes={f"{tag}-gao": 0}, moisture="13"),
        step(day - 9, who, "pack", takes={f"{tag}-gao": round(packs * 5.02, 1)},
             makes={f"{tag}-5": ("gao-5000", packs)}),
    ]  # fmt: skip


def yacon(tag: str, who: str, day: float, roots: float, packs: int) -> list[Step]:
    """A harvest of yacon, dried."""
    slices, dried = round(roots * 0.84, 1), round(roots * 0.13, 1)
    step = partial(Step, process="khoai-sam-say")
    return [
        step(day, who, "harvest", makes={f"{tag}-cu": ("root", roots)}, place="field"),
        step(day - 0.5, who, "slice", takes={f"{tag}-cu": roots}, makes={f"{tag}-lat": ("slices", slices)}),
        step(day - 1.5, who, "dry", takes={f"{tag}-lat": slices}, makes={f"{tag}-kho": ("dried", dried)},
             moisture="10.5"),
        step(day - 2, who, "inspect", takes={f"{tag}-kho": 0}, moisture="10.5"),
        step(day - 2.5, who, "pack", takes={f"{tag}-kho": round(packs * 0.302, 1)},
             makes={f"{tag}-300": ("khoai-300", packs)}),
    ]  # fmt: skip


def blended(tag: str, who: str, day: float) -> list[Step]:
    """Too little starch of one's own: some is bought from another region, and the pack says so. The residue is sold."""
    return [
        Step(day, who, "harvest", makes={f"{tag}-cu": ("tuber", 560)}, place="field"),
        Step(day - 1, who, "settle", takes={f"{tag}-cu": 560}, moisture="45",
             makes={f"{tag}-uot": ("wet-starch", 140), f"{tag}-ba": ("residue", 230)}),
        Step(day - 1.4, who, "sell-residue", takes={f"{tag}-ba": 200}, dong=300_000),
        Step(day - 1.5, who, "lose", takes={f"{tag}-ba": 30}, facts={"reason": "rain"}),
        Step(day - 3, who, "dry-starch", takes={f"{tag}-uot": 140}, makes={f"{tag}-bot": ("dry-starch", 88)},
             moisture="13"),
        Step(day - 3.2, who, "buy-dry-starch", makes={f"{tag}-mua": ("dry-starch", 50)}, moisture="12.5",
             facts={"origin": "Mường Khương, Lào Cai"}, dong=1_750_000),
        Step(day - 3.4, who, "merge", takes={f"{tag}-bot": 88, f"{tag}-mua": 30}, makes={f"{tag}-tron":
             ("dry-starch", 118)}),
        Step(day - 4, who, "steam", takes={f"{tag}-tron": 118}, makes={f"{tag}-banh": ("sheets", 212)}),
        Step(day - 4.6, who, "rest", takes={f"{tag}-banh": 212}, makes={f"{tag}-u": ("rested-sheets", 143)}),
        Step(day - 5, who, "cut", takes={f"{tag}-u": 143}, makes={f"{tag}-soi": ("strands", 139)}),
        Step(day - 5.4, who, "dry", takes={f"{tag}-soi": 139}, makes={f"{tag}-kho": ("noodles", 122)}, moisture="13.1"),
        Step(day - 5.6, who, "split", takes={f"{tag}-kho": 122},
             makes={f"{tag}-goi": ("noodles", 72), f"{tag}-gui": ("noodles", 50)}),
        Step(day - 6, who, "inspect", takes={f"{tag}-goi": 0}, moisture="13.1"),
        Step(day - 6.4, who, "pack", takes={f"{tag}-goi": 71.5}, makes={f"{tag}-500": ("mien-500", 142)}, shared=True),
        Step(day - 6.6, who, "case", takes={f"{tag}-500": 20}, shared=True),
    ]  # fmt: skip


def this_morning() -> list[Step]:
    """What the village has written down since it got up."""
    return [
        Step(-0.01, "thu", "harvest", makes={"s1-cu": ("tuber", 640)}, place="field"),
        Step(-0.03, "vi", "harvest", makes={"s2-cu": ("tuber", 410)}, place="field"),
        Step(-0.05, "producer", "rest", takes={"m12-banh": 341}, makes={"m12-u": ("rested-sheets", 178)}),
        Step(-0.08, "thu", "settle", takes={"s1-cu": 300}, makes={"s1-uot": ("wet-starch", 76)}, moisture="44"),
    ]


def story() -> list[Step]:
    """The season's steps, in the order in which they happened."""
    steps = [
        *mien("m01", "producer", 40, 1250, small=180, big=60),
        *mien("m02", "thu", 38, 980, noodles=0.128, small=150, big=40),
        *mien("m03", "vi", 36, 1430, noodles=0.135, small=220, big=60),
        *mien("m04", "du", 33, 760, noodles=0.125, small=120, big=30),
        # Rain for three days: a poor yield, said so.
        *mien("m05", "producer", 30, 1100, share=0.17, noodles=0.086, small=140,
              note="Mưa ba ngày, bột trôi mất một bể."),
        *mien("m06", "thu", 27, 1320, noodles=0.14, small=200, big=70),
        *mien("m07", "vi", 24, 890, noodles=0.13, small=180),
        # Inspected too wet: held, and nothing of it is packed.
        *mien("m08", "du", 21, 1010, noodles=0.13, inspect=False),
        *mien("m09", "producer", 17, 1380, noodles=0.137, small=240, big=50, shown=True),
        *mien("m10", "thu", 13, 1160, noodles=0.132, small=180, big=40),
        *mien("m11", "vi", 9, 1270, noodles=0.131, small=160)[:6],
        # A slip of the finger, 1.910 for 1.190, put right the same day.
        Step(5, "producer", "harvest", makes={"m12-cu": ("tuber", 1910)}, place="field", name="m12-harvest"),
        *mien("m12", "producer", 5, 1190)[1:3],
        Step(16.6, "du", "inspect", takes={"m08-kho": 0}, moisture="16.8", passed=False,
             note="Sợi còn ẩm, chưa đóng gói được."),
        Step(4.6, "producer", "harvest", makes={"m12-cu": ("tuber", 1190)}, corrects="m12-harvest", place="field",
             note="Gõ nhầm 1.910, đúng ra là 1.190."),
        # Two households' own starch, dried and kept, then steamed together: one batch out of two.
        Step(32, "producer", "harvest", makes={"k1-cu": ("tuber", 600)}, place="field"),
        Step(31, "producer", "settle", takes={"k1-cu": 600}, makes={"k1-uot": ("wet-starch", 150)}, moisture="45"),
        Step(29, "producer", "dry-starch", takes={"k1-uot": 150}, makes={"k1-bot": ("dry-starch", 94)}, moisture="13"),
        Step(26, "producer", "harvest", makes={"k2-cu": ("tuber", 520)}, place="field"),
        Step(25, "producer", "settle", takes={"k2-cu": 520}, makes={"k2-uot": ("wet-starch", 128)}, moisture="46"),
        Step(23, "producer", "dry-starch", takes={"k2-uot": 128}, makes={"k2-bot": ("dry-starch", 79)}, moisture="13"),
        Step(12, "producer", "steam", takes={"k1-bot": 60, "k2-bot": 79}, makes={"k-banh": ("sheets", 250)}),
        Step(11.4, "producer", "rest", takes={"k-banh": 250}, makes={"k-u": ("rested-sheets", 168)}),
        Step(11, "producer", "cut", takes={"k-u": 168}, makes={"k-soi1": ("strands", 97), "k-soi2": ("strands", 65)}),
        Step(10.6, "producer", "dry", takes={"k-soi1": 97}, makes={"k-kho1": ("noodles", 85)}, moisture="13.4"),
        Step(10.4, "producer", "dry", takes={"k-soi2": 65}, makes={"k-kho2": ("noodles", 57)}, moisture="12.9"),
        Step(10, "producer", "inspect", takes={"k-kho1": 0}, moisture="13.4"),
        Step(9.5, "producer", "pack", takes={"k-kho1": 84.9}, makes={"k-500": ("mien-500", 168)}),
        *tea("c1", "du", 44, 210, 200),
        *tea("c2", "du", 25, 180, 180),
        *tea("c3", "nhap", 11, 160, 150),
        *rice("g1", "nhap", 42, 1900, 200),
        *rice("g2", "nhap", 35, 1400, 140),
        *yacon("y1", "nhap", 20, 420, 150),
        *blended("b1", "vi", 9.5),
        *this_morning(),
    ]  # fmt: skip
    return sorted(steps, key=lambda step: -step.day)


Happens = tuple[dt.datetime, Callable[[], object]]
"""A moment of the season, and what is to be done then."""


class Season:
    """A story's steps, to be done one after the other with the clock set to each one's moment."""

    def __init__(self, today: dt.datetime) -> None:
        self.today = today
        self.batches: dict[str, str] = {}
        self.events: dict[str, str] = {}
        self.actors = {name: actor(name) for name in ("producer", "thu", "vi", "du", "nhap")}
        self.products = {p.slug: p.id for p in db.session.scalars(select(Product))}
        self.sites = {(s.household_id, s.kind): s.id for s in db.session.scalars(select(Site))}

    def timeline(self, steps: list[Step]) -> list[Happens]:
        """Each step with the moment at which its household writes it down. Each is idempotent by its id."""
        happens: list[Happens] = [
            (when + RECORDED_AFTER, partial(self._record, step, when))
            for step in steps
            for when in [self.today - dt.timedelta(days=step.day)]
        ]
        return [*happens, *self._dryer(steps), self._measured_by_a_laboratory()]

    def _measured_by_a_laboratory(self) -> Happens:
        """A sample of one batch went to a laboratory, and came back good."""
        when = self.today - dt.timedelta(days=REPORTED)
        laboratory, number, sample = "Phòng kiểm nghiệm mẫu", "MẪU-2026-01", f"Miến dong khô, mẻ DEMO-{SAMPLED.upper()}"
        lines = (("Độ ẩm", "12,8 %"), ("Chì", "không phát hiện"), ("Chất tẩy trắng", "không phát hiện"))
        limits = ("tối đa 14", "tối đa 0,2 mg/kg", "không được có")
        told = ReportFields(
            lots=f"DEMO-{SAMPLED.upper()}", product_id="", site_id="", laboratory=laboratory, number=number,
            issued_on=when.astimezone(clock.VN).date(), expires_on=None, passed=True, public=True,
            parameters=[
                {"name": name, "value": value, "unit": "", "limit": limit, "passed": True}
                for (name, value), limit in zip(lines, limits, strict=True)
            ],
        )  # fmt: skip
        paper = pictures.report(laboratory, number, sample, lines)
        return when, lambda: add_report(actor("office"), told, paper, demo_id("report"))

    def _dryer(self, steps: list[Step]) -> list[Happens]:
        """One household got sensors for its dryer in mid-season; they ran again yesterday."""
        who, site = self.actors[DRYER], self.sites[(self.actors[DRYER].household_id, "workshop")]
        first = self.today - dt.timedelta(days=SENSORS_SINCE)
        yesterday = self.today - dt.timedelta(hours=12)
        happens: list[Happens] = [
            (first, partial(sensors.register, actor("office"), site)),
            (yesterday + RECORDED_AFTER, partial(sensors.fire, site, yesterday)),
        ]
        for step in steps:
            for made in MEASURED & step.makes.keys():
                end = self.today - dt.timedelta(days=step.day)
                happens.append((end + 2 * RECORDED_AFTER, partial(self._measured, who, site, end, made)))
        return happens

    def _measured(self, who: Actor, site: str, end: dt.datetime, made: str) -> None:
        sensors.measured(who, site, end, self.batches[made], demo_id(f"sensors-{made}"))

    def _record(self, step: Step, when: dt.datetime) -> None:
        who = self.actors[step.who]
        name = step.name or f"{step.who}-{step.stage}-{step.day}-{'-'.join([*step.takes, *step.makes])}"
        wanted = self._wanted(step, who, when, demo_id(f"event-{name}"))
        if step.corrects:
            self._correct(step, who, wanted)
            return
        answer = record_stage(who, wanted, {"demo": name})
        self.events[name] = answer["id"]
        for made, batch in zip(step.makes, answer["batches"], strict=True):
            self.batches[made] = batch["id"]

    def _wanted(self, step: Step, who: Actor, when: dt.datetime, event_id: str) -> Wanted:
        looking = step.stage == "inspect"
        makes = []
        for made, (slug, amount) in step.makes.items():
            lot = f"DEMO-{made.upper()}"
            if step.stage == "pack":
                makes.append(Make(self.products[slug], units=int(amount), lot=lot))
            else:
                makes.append(Make(self.products[slug], round(amount * 1000), lot=lot))
        return Wanted(
            id=event_id,
            process=step.process,
            stage=step.stage,
            occurred_at=when.astimezone(clock.VN),
            site=self.sites[(None if step.shared else who.household_id, step.place)],
            inputs=tuple(
                Take(self.batches[taken], units=int(amount)) if step.stage == "case"
                else Take(self.batches[taken], None if looking else round(amount * 1000))
                for taken, amount in step.takes.items()
            ),
            outputs=tuple(makes),
            readings=(Measure("Moisture", Decimal(step.moisture), "P1"),) if step.moisture else (),
            note=step.note or ("Số của nhà cân, đã xem lại." if step.stage == "cut" else ""),
            passed=step.passed,
            facts=step.facts,
            photos=self._photos(step, who),
            value_dong=step.dong,
        )

    def _photos(self, step: Step, who: Actor) -> tuple[str, ...]:
        """The same drawing whenever it is told, so that a season that was cut off goes on."""
        if not step.photo:
            return ()
        drawn = pictures.photo(pictures.SCENES[step.stage], "-".join(step.makes))
        return (take_photo(who, drawn, consent=False).sha256,)

    def _correct(self, step: Step, who: Actor, wanted: Wanted) -> None:
        event = event_for(who, self.events[step.corrects])
        told = replace(as_wanted(event), outputs=wanted.outputs, note=step.note)
        told = replace(told, outputs=tuple(replace(make, lot=None) for make in told.outputs))
        correction = Correction(demo_id(f"correction-{step.corrects}"), event.id, "incorrect_data", step.note, told)
        correct(who, correction, {"demo": step.corrects})
