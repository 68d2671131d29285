"""Buyers at the storefront while livestreams sell the same packs: one after the other through so many doors."""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape

from tests.support.evening.readers import Clock
from tests.support.racing import HIDDEN, SOLD_OUT, Guest


@dataclass(frozen=True)
class Goods:
    """What she may want."""

    product_id: str
    path: str


@dataclass
class Shopper(Guest):
    """A guest who is told cleanly where nothing is left, at whichever page it shows."""

    turned: bool = False
    """True when there was nothing left for her."""

    def arrive(self) -> None:
        for product, packs in self.wanted:
            put = self.post("/cart/add", ("product", product), ("quantity", str(packs)))
            assert put.status == 303, put
        page = self.ask("GET", "/checkout")
        if (page.status, page.location) == (303, "/cart"):
            self.turned = True
            return
        assert page.status == 200, page
        shown = {"payment", "delivery"}
        hidden = [(name, unescape(value)) for name, value in HIDDEN.findall(page.body)]
        self.turned = not any(name == "key" for name, _ in hidden)
        self.form = [
            *((name, value) for name, value in hidden if name not in shown),
            ("payment", "cod"), ("delivery", "hand"), ("name", f"Người Mua {'ABCDEFGH'[self.number % 8]}"),
            ("phone", self.phone), ("province", "Hà Nội"), ("ward", "Phường Thử"), ("address", "Số 1 phố Thử"),
        ]  # fmt: skip

    def go(self) -> None:
        answer = self.post("/checkout", *self.form)
        if answer.status == 303:
            self.token = answer.location.removeprefix("/orders/")
            return
        assert answer.status == 409 and SOLD_OUT in answer.body, answer
        self.turned = True


@dataclass
class Door(threading.Thread):
    """One buyer after the other, each thinking between her pages, until the evening ends."""

    clock: Clock
    port: int
    goods: Sequence[Goods]
    ends: float
    thinks: float
    seed: int
    tokens: list[str] = field(default_factory=list)
    turned: int = 0
    took: list[float] = field(default_factory=list)
    """Seconds from sending the order to its page's address."""
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(name=f"door-{self.seed}", daemon=True)
        self._chance = random.Random(self.seed)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Let them in."""
        self.clock.until(self._chance.uniform(0, min(self.thinks, self.ends)))
        while self.clock.now() < self.ends:
            good = self._chance.choice(self.goods)
            buyer = Shopper(self.port, wanted=[(good.product_id, self._chance.randint(1, 3))])
            try:
                self._buy(buyer, good)
            except Exception as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            finally:
                buyer.leave()

    def _buy(self, buyer: Shopper, good: Goods) -> None:
        page = buyer.ask("GET", good.path)
        assert page.status == 200, page
        self._think()
        buyer.arrive()
        if not buyer.turned:
            self._think()
            began = time.monotonic()
            buyer.go()
            self.took.append(time.monotonic() - began)
        if buyer.token:
            self.tokens.append(buyer.token)
        else:
            self.turned += 1

    def _think(self) -> None:
        time.sleep(self._chance.uniform(0.2, 1.0) * self.thinks)
