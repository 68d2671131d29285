"""What the names in a sheet mean in this village: hardly anybody types an id."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from sqlalchemy.orm import Session

from batches.processes.catalogue import all_processes
from batches.processes.models import Kind, Process, Stage
from batches.sheets.cells import Unclear
from batches.stages.checks import REGROUPING
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.places.models import Household, Site
from village.products.models import Product
from village.reference import Reference, reference
from village.text import plain_letters

T = TypeVar("T")


class Names:
    """The names that one member may use: of her household, or for the office of its whole cooperative."""

    def __init__(self, session: Session, who: Actor) -> None:
        village = reference(session)
        self._village: Reference = village
        mine = [one for one in village.households.values() if who.works_for(one.id, one.cooperative_id)]
        self._households: dict[str, Household] = {plain_letters(one.name): one for one in mine}
        self._own = mine[0].id if len(mine) == 1 else who.household_id
        self._sites: dict[str, list[Site]] = {one.id: [] for one in mine}
        self._shared: list[Site] = []
        for site in village.sites.values():
            if site.active and site.household_id in self._sites:
                self._sites[site.household_id].append(site)
            elif site.active and site.household_id is None and site.cooperative_id == who.cooperative_id:
                self._shared.append(site)
        self._products = [
            one for one in village.products.values() if one.active and one.cooperative_id == who.cooperative_id
        ]
        self._processes = _by_names(all_processes().values(), lambda one: (one.key, one.name.vi, one.name.en))
        self._stages = {
            process.key: _by_names(process.stages, lambda one: (one.key, one.name.vi, one.name.en))
            for process in all_processes().values()
        }
        self._known_stages: dict[tuple[str, str], tuple[str, str]] = {}
        self._known_sites: dict[tuple[str, str, bool], str] = {}
        self._known_products: dict[tuple[str, str, str], str | None] = {}

    def household(self, said: str) -> str:
        """A household's id by its name; one's own when nothing is said."""
        if not said:
            if self._own is None:
                raise Unclear(_l("Bác ghi giúp hộ nào làm."))
            return self._own
        found = self._households.get(plain_letters(said))
        if found is None:
            raise Unclear(_l("Không có hộ nào tên như vậy, hoặc không phải hộ mình."))
        return found.id

    def site(self, said: str, household: str, stage: Stage) -> str:
        """A place's id by its name or GLN; when nothing is said, the household's only one of the fitting kind."""
        key = (said, household, stage.kind is Kind.COMMISSION)
        if key not in self._known_sites:
            self._known_sites[key] = self._site(said, household, stage)
        return self._known_sites[key]

    def _site(self, said: str, household: str, stage: Stage) -> str:
        mine = self._sites.get(household, [])
        if said:
            plain = plain_letters(said)
            named = [one for one in (*mine, *self._shared) if said == one.gln or plain_letters(one.name) == plain]
            if len(named) != 1:
                raise Unclear(_l("Hộ này không có nơi làm nào tên như vậy."))
            return named[0].id
        kind = "field" if stage.kind is Kind.COMMISSION else "workshop"
        fitting = [one for one in mine if one.kind == kind] or mine
        if len(fitting) != 1:
            raise Unclear(_l("Bác ghi giúp làm ở nơi nào: hộ này có mấy nơi, hoặc chưa có nơi nào."))
        return fitting[0].id

    def stage_key(self, process: str, stage: str) -> tuple[str, str]:
        """(process, stage) by their names. The process may be left out where only one has such a stage."""
        key = (process, stage)
        if key not in self._known_stages:
            self._known_stages[key] = self._stage_key(process, stage)
        return self._known_stages[key]

    def _stage_key(self, process: str, stage: str) -> tuple[str, str]:
        plain = plain_letters(stage)
        if not process:
            having = [key for key, stages in self._stages.items() if plain in stages]
            if len(having) > 1:
                raise Unclear(_l("Bước này quy trình nào cũng có. Bác ghi thêm cột quy trình."))
        else:
            found = self._processes.get(plain_letters(process))
            if found is None:
                raise Unclear(_l("Không có quy trình nào tên “%(process)s”."), process=process[:40])
            having = [found.key] if plain in self._stages[found.key] else []
        if not having:
            raise Unclear(_l("Không có bước nào tên như vậy."))
        return having[0], self._stages[having[0]][plain].key

    def stage(self, process: str, stage: str) -> tuple[Process, Stage]:
        """The process and stage themselves."""
        found = all_processes()[process]
        return found, found.stage(stage)

    def product(self, process: Process, stage: Stage, said: str) -> str | None:
        """A product's id by its name, GTIN or material; when nothing is said, the only one that the stage makes. None
        for a split or a blend, which give what they take."""
        key = (process.key, stage.key, said)
        if key not in self._known_products:
            self._known_products[key] = self._product(process, stage, said)
        return self._known_products[key]

    def _product(self, process: Process, stage: Stage, said: str) -> str | None:
        if not said:
            if stage.kind in REGROUPING:
                return None
            fitting = [one for one in self._products if (one.process, one.material) == (process.key, stage.output)]
        else:
            plain = plain_letters(said)
            number = said.zfill(14)
            fitting = [
                one
                for one in self._products
                if one.gtin == number or plain in (one.slug, *_plain(one.name_vi, one.name_en))
            ]
            if not fitting:
                things = {m.key for m in process.materials if plain in _plain(m.key, m.name.vi, m.name.en)}
                fitting = [one for one in self._products if one.process == process.key and one.material in things]
        if len(fitting) > 1:
            names = ", ".join(one.name_vi for one in fitting[:5])
            raise Unclear(_l("Có mấy thứ như vậy, bác ghi rõ là thứ nào: %(names)s."), names=names)
        if not fitting:
            raise Unclear(_l("Không có sản phẩm nào tên như vậy, hoặc bước này không làm ra gì."))
        return fitting[0].id

    def products(self) -> Mapping[str, Product]:
        """All products of the village by id."""
        return self._village.products


def _plain(*names: str) -> tuple[str, ...]:
    return tuple(plain_letters(name) for name in names)


def _by_names(things: Iterable[T], names: Callable[[T], Iterable[str]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for thing in things:
        for name in names(thing):
            found.setdefault(plain_letters(name), thing)
    return found
