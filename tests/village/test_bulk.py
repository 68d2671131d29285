"""New objects go in past the unit of work, and nobody notices a difference."""

from sqlalchemy import event, select

from tests.support.village import Village
from village.bulk import insert_new
from village.db import db, write
from village.ids import uuid7
from village.places.models import Cooperative, Hamlet, Household


def test_what_was_added_in_bulk_has_its_defaults_is_heard_of_and_changes_like_anything_else(village: Village) -> None:
    cooperative_id = db.session.scalars(select(Cooperative.id)).first()
    heard: list[str] = []

    def hear(_mapper: object, _connection: object, household: Household) -> None:
        heard.append(household.name)

    event.listen(Household, "after_insert", hear)
    try:
        with write() as session:
            hamlet = Hamlet(id=uuid7(), name="Bản Thử Mới")
            pending = Household(name="Nhà Một", cooperative_id=cooperative_id, hamlet_id=hamlet.id)
            loose = Household(name="Nhà Hai", cooperative_id=cooperative_id, hamlet_id=hamlet.id, story="Từ xưa")
            later = Hamlet(name="Bản Thử Sau")
            session.add_all([pending, later])
            insert_new(session, (Household,), [hamlet, loose])
            assert list(session.new) == [later]
            assert heard == ["Nhà Một", "Nhà Hai"] and pending.id and (pending.story, pending.named) == ("", False)
            pending.name = "Nhà Đổi Tên"
    finally:
        event.remove(Household, "after_insert", hear)
    db.session.remove()
    found = db.session.scalars(select(Household).join(Hamlet).where(Hamlet.name == "Bản Thử Mới")).all()
    assert {(one.name, one.story, one.named) for one in found} == {
        ("Nhà Đổi Tên", "", False), ("Nhà Hai", "Từ xưa", False)
    }  # fmt: skip
    assert db.session.scalar(select(Hamlet.id).where(Hamlet.name == "Bản Thử Sau"))
