"""An evening played against a real server: three livestreams, their sources, a crowd at the storefront."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flask import Flask

from shop.live import services
from shop.live.services import Code
from shop.live.sources.facebook.services import connect
from shop.live.sources.services import add_webhook
from shop.live.sources.signed import secret_of
from shop.stock.services import available
from tests.conftest import browser
from tests.shop.hands import shelve
from tests.support.evening.facebook import Broadcast, Page
from tests.support.evening.proof import Proof, unheard_of
from tests.support.evening.readers import ByApi, BySignature, Clock, Heard, Reader, Trouble, Way, apart
from tests.support.evening.script import CODES, SHORT, WHOLE, Spoken, Stretch, by_stage, written
from tests.support.evening.shoppers import Door, Goods
from tests.support.platforms.facebook import APP_SECRET, PAGE, TOKEN, VERIFY, VIDEO
from tests.support.platforms.serving import Moods, served
from tests.support.village import Village
from village.db import db
from village.products.models import Product
from village.settings import FACEBOOK_PARTS

STAGES = 3
GOODS: Mapping[str, tuple[str, int]] = {
    "MD01": ("mien-dong", 500), "MD02": ("mien-dong", 1000), "MD03": ("che-tam-duong", 500),
    "MD10": ("gao-seng-cu", 500), "MK01": ("gao-seng-cu", 1000),
}  # fmt: skip
"""Process and net weight of what the codes mean: all livestreams and the storefront sell the same."""
assert tuple(GOODS) == CODES
HOSTS = ("seller", "seller-b", "seller")


@dataclass(frozen=True)
class Plan:
    """How large an evening is."""

    stretches: Sequence[Stretch]
    packs: Mapping[str, int]
    """On the shelf, by code, in several lots: some last, some do not."""
    limits: Mapping[str, int]
    """Packs of a code for each livestream."""
    doors: int
    """Buyers at the storefront at a time."""
    thinks: float
    """Seconds that one thinks between two pages, at most."""
    seed: int = 7

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return sum(stretch.seconds for stretch in self.stretches)


@dataclass
class Evening:
    """A stage that is set: the livestreams and what they sell. `play` lets it begin."""

    app: Flask
    village: Village
    plan: Plan
    sessions: list[str] = field(default_factory=list)
    products: dict[str, Product] = field(default_factory=dict)
    said: list[Spoken] = field(default_factory=list)
    broadcasts: list[Broadcast] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)
    page: Page = field(default_factory=Page)

    def set_up(self, mark: str = "") -> None:
        """Shelves and livestreams."""
        plan = self.plan
        for code, (process, net) in GOODS.items():
            self.products[code] = self.village.product("packs", net, process)
            left = plan.packs[code]
            for lot, share in (("A", left // 2), ("B", left // 3), ("C", left - left // 2 - left // 3)):
                if share:
                    shelve(self.village, share, lot=f"{code}{lot}{mark}", net=net, process=process)
        codes = [Code(code, product.gtin, limit=plan.limits.get(code)) for code, product in self.products.items()]
        for stage in range(STAGES):
            actor = self.village.actor(HOSTS[stage])
            self.sessions.append(services.start(actor, f"Tối {stage + 1}", f"evening{stage}{mark}", codes))
        self.said = written(plan.seed, plan.stretches, STAGES, f"e{plan.seed}{mark}")

    @property
    def env(self) -> dict[str, str]:
        """What the server has to know: its proxy, so that each buyer has an address of her own, and its page."""
        facebook = dict(zip(FACEBOOK_PARTS, (PAGE, TOKEN, APP_SECRET, VERIFY), strict=True))
        return {"TRUSTED_PROXIES": "1", **{f"FACEBOOK_{part}": value for part, value in facebook.items()}}

    def play(self, port: int, *, also: Sequence[Callable[[Clock], threading.Thread]] = ()) -> None:
        """The whole evening, until everything was taken in; `also` are further threads that it takes along."""
        moods = Moods(seed=self.plan.seed, fail=0.03, repeat=0.05, drop=0.2, shuffle=5)
        self.page = Page(moods)
        with served(self.page.serve, moods) as self.page.url:
            clock = Clock(ahead=1.0)
            self._prepare(clock, port)
            self._go([*self.broadcasts, *self.readers, *self.doors, *(one(clock) for one in also)])
        self.said = [one for one in self.said if one.stage] + [o for each in self.broadcasts for o in each.spoken]

    def _prepare(self, clock: Clock, port: int) -> None:
        plan, paths = self.plan, [Goods(one.id, f"/products/{one.slug}") for one in self.products.values()]
        for stage, said in sorted(by_stage(self.said).items()):
            if stage == 0:
                source = self._on_facebook()
                self.broadcasts = [
                    Broadcast(clock, port, self.app, self.page, self.sessions[0], source, said, self._cuts(0))
                ]
                continue
            ways = self._ways(stage)
            for number, part in enumerate(apart(said, len(ways), plan.seed + stage)):
                trouble = Trouble(cuts=self._cuts(stage) if number else ())
                self.readers.append(Reader(clock, port, ways[number], part, trouble, 100 * stage + number))
        self.doors = [
            Door(clock, port, paths, plan.seconds, plan.thinks, plan.seed * 1000 + n) for n in range(plan.doors)
        ]
        db.session.remove()

    @staticmethod
    def _go(threads: Sequence[threading.Thread]) -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _on_facebook(self) -> str:
        """The first livestream is on Facebook: read from there, and told of by notices."""
        self.page.go_live()
        self.page.connect(self.app)
        return connect(self.village.actor(HOSTS[0]), self.sessions[0], VIDEO)

    def _ways(self, stage: int) -> list[Way]:
        """The sources of a livestream: a program of the seller's, and a comment reader that signs what it posts."""
        session = self.sessions[stage]
        by_api = ByApi(session, self.village.token(HOSTS[stage]))
        source = add_webhook(self.village.actor(HOSTS[stage]), session)
        by_signature = BySignature(source, secret_of(source, self.app.extensions["soi"].secret_key))
        db.session.remove()
        return [by_api, by_signature]

    def _cuts(self, stage: int) -> tuple[tuple[float, float], ...]:
        """One source of each livestream is away for a twentieth of the evening, at another time."""
        begins = self.plan.seconds * (0.25 + 0.2 * stage)
        return ((begins, begins + self.plan.seconds / 20),)

    def faults(self) -> list[str]:
        """Whatever went wrong."""
        told = [token for door in self.doors for token in door.tokens]
        return [
            *(fault for each in self.broadcasts for fault in each.failures),
            *(fault for reader in self.readers for fault in reader.failures),
            *(fault for door in self.doors for fault in door.failures),
            *(f"{key} was never decided" for key, heard in self.heard().items() if heard.decided is None),
            *unheard_of(told),
            *Proof(self.said, self.sessions).faults(),
        ]

    def heard(self) -> dict[str, Heard]:
        """How each comment fared with the reader that was told of it first."""
        found: dict[str, Heard] = {}
        for told in [*(each.heard for each in self.broadcasts), *(reader.heard for reader in self.readers)]:
            for key, heard in told.items():
                if key not in found or heard.at_hand < found[key].at_hand:
                    found[key] = heard
        return found

    def waits(self, *stretches: str) -> list[float]:
        """Seconds from a reader's having a comment to its decision, sorted; of these stretches, or of all."""
        heard = self.heard()
        return sorted(
            heard[one.id].decided - heard[one.id].at_hand  # type: ignore[operator]  # what was never decided is a fault
            for one in self.said
            if not stretches or one.stretch in stretches
        )

    def left(self) -> dict[str, int]:
        """Packs that are still free, by code."""
        free = available(db.session(), [product.id for product in self.products.values()])
        return {code: free[product.id] for code, product in self.products.items()}

    def host_cookie(self, stage: int) -> tuple[str, str]:
        """A browser's session of this livestream's host, and the console's address."""
        client = browser(self.app)
        self.village.sign_in(client, HOSTS[stage])
        cookie = client.get_cookie("soi_session")
        assert cookie is not None
        return cookie.value, f"/seller/live/{self.sessions[stage]}"


SMALL = Plan(
    SHORT, packs={"MD01": 400, "MD02": 60, "MD03": 200, "MD10": 20, "MK01": 100}, limits={"MK01": 10}, doors=24,
    thinks=1.0,
)  # fmt: skip
"""Three seconds. MD02 and MD10 sell out, MK01 reaches its limit."""
LARGE = Plan(
    WHOLE, packs={"MD01": 12_000, "MD02": 3_000, "MD03": 6_000, "MD10": 400, "MK01": 3_000}, limits={"MK01": 300},
    doors=50, thinks=5.0,
)  # fmt: skip
"""Ten minutes. MD10 sells out early, so that a thousand viewers wait; MD02 late; MK01 reaches its limit."""
