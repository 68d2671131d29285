"""A small settled village for tests: one cooperative with two households, another cooperative, sites, products and
members; and hands that record stages the way a producer would."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from batches.processes.catalogue import all_processes
from batches.stages.services import record_stage
from batches.stages.wanted import Make, Measure, Take, Wanted
from trace.gs1.gtin import with_check_digit
from trace.ledger import store
from trace.lots.models import Batch
from village import clock
from village.db import db, write
from village.ids import secret_token, token_digest, uuid7
from village.people.access import Actor
from village.people.models import ApiToken, Member, MemberRole, Role, SignIn
from village.places.models import Cooperative, Hamlet, Household, Site
from village.products.models import Product

MEMBERS = {
    "producer": ("Người Làm A", (Role.PRODUCER,), "Hợp tác xã Một", "Hộ A"),
    "producer-b": ("Người Làm B", (Role.PRODUCER,), "Hợp tác xã Một", "Hộ B"),
    "seller": ("Người Bán", (Role.SELLER,), "Hợp tác xã Một", None),
    "seller-b": ("Người Bán B", (Role.SELLER,), "Hợp tác xã Một", None),
    "office": ("Văn Phòng", (Role.OFFICE,), "Hợp tác xã Một", None),
    "auditor": ("Người Soát", (Role.AUDITOR,), "Hợp tác xã Một", None),
    "office-other": ("Văn Phòng Hai", (Role.OFFICE,), "Hợp tác xã Hai", None),
    "producer-other": ("Người Làm C", (Role.PRODUCER,), "Hợp tác xã Hai", "Hộ C"),
}


def gln(number: int) -> str:
    """A place number under GS1's example prefix."""
    return with_check_digit(f"9506000{number:05d}")


def gtin(number: int) -> str:
    """A product number under GS1's example prefix."""
    return with_check_digit(f"09506000{number:05d}")


def settle() -> None:
    """Settle an empty database."""
    store.ensure_born()
    with write() as session:
        hamlet = Hamlet(name="Bản Thử")
        one = Cooperative(
            name="Hợp tác xã Một", gln=gln(1), address="Bản Thử, xã Bình Lư, tỉnh Lai Châu",
            phone="+842133000001", registration="6200000001",
        )
        two = Cooperative(
            name="Hợp tác xã Hai", gln=gln(2), address="Bản Thử, xã Bình Lư, tỉnh Lai Châu",
            phone="+842133000002", registration="6200000002",
        )
        session.add_all([hamlet, one, two])
        session.flush()
        coops = {one.name: one, two.name: two}
        homes = {
            name: Household(name=name, cooperative_id=coop.id, hamlet_id=hamlet.id, named=name == "Hộ A")
            for name, coop in (("Hộ A", one), ("Hộ B", one), ("Hộ C", two))
        }
        session.add_all(homes.values())
        session.flush()
        for number, (name, home) in enumerate(homes.items(), start=10):
            session.add(
                Site(
                    name=f"Nhà {name}", kind="workshop", gln=gln(number), hamlet_id=hamlet.id,
                    cooperative_id=home.cooperative_id, household_id=home.id,
                )
            )
        number = 100
        for process in all_processes().values():
            for material in process.materials:
                for net in (500, 1000) if material.unit == "packs" else (None,):
                    number += 1
                    session.add(_product(number, process.key, material.key, material.name.vi, net, one.id))
        for username, (name, roles, coop, home_name) in MEMBERS.items():
            session.add(
                Member(
                    username=username, name=name, cooperative_id=coops[coop].id,
                    household_id=homes[home_name].id if home_name else None,
                    roles=[MemberRole(role=role) for role in roles],
                )
            )


def _product(number: int, process: str, material: str, name: str, net: int | None, coop: str) -> Product:
    tail = f" {net} g" if net else ""
    return Product(
        gtin=gtin(number), slug=f"{process}-{material}{f'-{net}' if net else ''}", name_vi=name + tail,
        name_en=f"{material}{tail}", cooperative_id=coop, process=process, material=material, net_grams=net,
        price=net * 120 if net else None, shelf_days=365 if net else None,
        ingredients_vi="100 % tinh bột dong riềng", ingredients_en="100 % canna starch", picture="pack",
    )


@dataclass(frozen=True)
class Village:
    """Hands in the settled village. Everything goes through the services that the pages use."""

    def member(self, username: str) -> Member:
        """The member's row."""
        return db.session.scalars(select(Member).where(Member.username == username)).one()

    def actor(self, username: str) -> Actor:
        """The member as authorisation sees her."""
        member = self.member(username)
        roles = frozenset(role.role for role in member.roles)
        return Actor(member.id, member.username, member.name, roles, member.cooperative_id, member.household_id)

    def site(self, name: str = "Nhà Hộ A") -> Site:
        """A site by name."""
        return db.session.scalars(select(Site).where(Site.name == name)).one()

    def product(self, material: str, net: int | None = None, process: str = "mien-dong") -> Product:
        """A product by what it is."""
        return db.session.scalars(
            select(Product).where(
                Product.process == process, Product.material == material, Product.net_grams.is_(net)
                if net is None else Product.net_grams == net,
                Product.material == material,
            )
        ).one()

    def batch(self, batch_id: str) -> Batch:
        """A batch, read afresh."""
        db.session.rollback()
        return db.session.get_one(Batch, batch_id)

    def token(self, username: str) -> str:
        """A new API token."""
        token = secret_token()
        member_id = self.member(username).id
        with write() as session:
            session.add(ApiToken(digest=token_digest(token), member_id=member_id))
        return token

    def sign_in(self, client: FlaskClient, username: str) -> None:
        """Sign a client in, past the password."""
        token = secret_token()
        member_id = self.member(username).id
        with write() as session:
            later = clock.now() + dt.timedelta(days=1)
            session.add(SignIn(digest=token_digest(token), member_id=member_id, expires_at=later))
        client.set_cookie("soi_session", token)

    def wanted(
        self,
        stage: str,
        *,
        inputs: tuple[Take, ...] = (),
        outputs: tuple[Make, ...] = (),
        days_ago: float = 1,
        **more: Any,
    ) -> Wanted:
        """A stage of miến dong to record, at household A's place unless told otherwise."""
        more.setdefault("site", self.site().id)
        more.setdefault("process", "mien-dong")
        more.setdefault("id", uuid7())
        when = (clock.now() - dt.timedelta(days=days_ago)).astimezone(clock.VN)
        return Wanted(stage=stage, occurred_at=when, inputs=inputs, outputs=outputs, **more)

    def record(self, stage: str, username: str = "producer", **more: Any) -> dict[str, Any]:
        """Record a stage as a producer; returns the API's answer."""
        wanted = self.wanted(stage, **more)
        return record_stage(self.actor(username), wanted, {"id": wanted.id})

    def made(self, stage: str, material: str, grams: int, *takes: tuple[str, int], **more: Any) -> str:
        """Record a stage that makes `grams` of a material out of (batch, grams); the new batch's id."""
        answer = self.record(
            stage,
            inputs=tuple(Take(batch, taken) for batch, taken in takes),
            outputs=(Make(self.product(material).id, grams),),
            **more,
        )
        return str(answer["batches"][0]["id"])

    def packs(self, units: int = 40, net: int = 500, *, lot: str | None = None, start_days_ago: float = 20) -> str:
        """A whole story from the field to `units` packs; the packed batch's id."""
        noodles = units * net
        tubers = noodles * 8
        ago = start_days_ago
        tuber = self.made("harvest", "tuber", tubers, days_ago=ago)
        starch = self.made("settle", "wet-starch", tubers // 4, (tuber, tubers), days_ago=ago - 1)
        sheets = self.made("steam", "sheets", tubers // 4, (starch, tubers // 4), days_ago=ago - 2)
        rested = self.made("rest", "rested-sheets", tubers * 14 // 100, (sheets, tubers // 4), days_ago=ago - 3)
        dried = self.made(
            "dry", "noodles", noodles, (rested, tubers * 14 // 100), days_ago=ago - 4,
            readings=(Measure("Moisture", Decimal("13.2"), "P1"),),
        )
        self.record(
            "inspect", inputs=(Take(dried),), days_ago=ago - 5, readings=(Measure("Moisture", Decimal("13.2"), "P1"),)
        )
        answer = self.record(
            "pack",
            inputs=(Take(dried, noodles),),
            outputs=(Make(self.product("packs", net).id, units=units, lot=lot),),
            days_ago=ago - 6,
        )
        return str(answer["batches"][0]["id"])
