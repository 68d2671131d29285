"""A recall, the lots that it took in, and every step of it. Rows are only added: what became of it is in its steps."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trace.lots.models import Batch, Hold
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member
from village.places.models import Cooperative


class What(StrEnum):
    """What a step is."""

    STARTED = "started"
    FOUND = "found"
    """Packs in the store were counted and put apart."""
    RETURNED = "returned"
    DESTROYED = "destroyed"
    LIFTED = "lifted"
    """It was a mistake: the lots are free again, unless something else holds them."""
    CLOSED = "closed"


class Source(StrEnum):
    """Where packs were when they were destroyed."""

    STORE = "store"
    RETURNED = "returned"
    BUYER = "buyer"


def _words(kind: type[StrEnum], name: str, length: int) -> Enum:
    return Enum(kind, name=name, native_enum=False, length=length, values_callable=lambda e: [s.value for s in e])


class Recall(Base):
    """One recall, or a drill of one, which changes nothing but is kept like one. Figures are those of its beginning."""

    __tablename__ = "recall"
    __table_args__ = (
        CheckConstraint("in_stock >= 0 AND in_stock <= packed", name="units"),
        CheckConstraint("shipping >= 0 AND shipping <= packed - in_stock", name="shipping"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    """Whose office called it."""
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    drill: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(200))
    """What buyers are told; not on the ledger but as a commitment."""
    started_at: Mapped[Moment] = mapped_column(default=clock.now)
    lots: Mapped[int]
    """Lots in all, packed or not."""
    packed: Mapped[int]
    in_stock: Mapped[int]
    """Packs that had not left yet, those of open orders among them."""
    shipping: Mapped[int]
    """Of those that had left: on the way to a buyer."""
    buyers: Mapped[int]
    notified: Mapped[int]
    """Messages put into the outbox, one a buyer."""

    cooperative: Mapped[Cooperative] = relationship()
    steps: Mapped[list["RecallStep"]] = relationship(order_by="RecallStep.at, RecallStep.id")

    @property
    def sold(self) -> int:
        """Packs that had left the store, by whatever way, those under way among them."""
        return self.packed - self.in_stock

    @property
    def lifted(self) -> bool:
        """True once it was called a mistake."""
        return any(step.what is What.LIFTED for step in self.steps)

    @property
    def closed(self) -> bool:
        """True once nothing more is looked for."""
        return any(step.what is What.CLOSED for step in self.steps)

    @property
    def open(self) -> bool:
        """True while it goes on: no drill, not lifted, not closed."""
        return not (self.drill or self.lifted or self.closed)


class RecallLot(Base):
    """One lot of a recall, as it was found."""

    __tablename__ = "recall_lot"

    recall_id: Mapped[Id] = mapped_column(ForeignKey("recall.id"), primary_key=True)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), primary_key=True, index=True)
    chosen: Mapped[bool]
    """True for a lot that the office named; the others came of those."""
    hold_before: Mapped[Hold] = mapped_column(
        Enum("none", "held", "recalled", name="hold_before", native_enum=False)
    )
    reason_before: Mapped[str] = mapped_column(String(300))
    packed: Mapped[int]
    """Packs; 0 for what is weighed."""
    in_stock: Mapped[int]
    left_grams: Mapped[int]
    """What was left of it by weight."""
    entry_index: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.index"))
    """Where the ledger says so; None in a drill, and for a lot that was recalled already."""

    batch: Mapped[Batch] = relationship()


class RecallStep(Base):
    """One thing that happened in a recall. A figure that was wrong is put right by another row with what it differs."""

    __tablename__ = "recall_step"

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    recall_id: Mapped[Id] = mapped_column(ForeignKey("recall.id"), index=True)
    what: Mapped[What] = mapped_column(_words(What, "recall_what", 10))
    at: Mapped[Moment] = mapped_column(default=clock.now)
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    batch_id: Mapped[Id | None] = mapped_column(ForeignKey("batch.id"))
    """The lot that it is about; None for all of them together."""
    source: Mapped[Source | None] = mapped_column(_words(Source, "recall_source", 10))
    units: Mapped[int | None]
    """Packs; below nought where it takes back what was written before. On `closed`: those that were accounted for."""
    note: Mapped[str] = mapped_column(String(300), default="")
    elapsed_ms: Mapped[int | None]
    """On `started`: how long finding and stopping took."""

    member: Mapped[Member] = relationship()
    batch: Mapped[Batch | None] = relationship()
