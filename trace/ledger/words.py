"""What an entry says, in plain words, from its own bytes alone. It may hold anything: nothing is taken for granted."""

from collections.abc import Mapping
from typing import Any

from trace.events.reasons import reason_name
from trace.ledger.erasure import BUYER, MEMBER, NOTE
from trace.ledger.readable import visible
from village.i18n import gettext as _
from village.i18n import in_language, number
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid

KINDS = ("event", "correction", "key", "erasure", "claim", "recall", "live")
FACTS = {"origin": _l("Mua từ"), "reason": _l("Vì sao"), "sscc": _l("Thùng số")}
"""What an event may say besides, and what each is called."""


def kind_of(record: Mapping[str, Any]) -> str:
    """One of KINDS; `unknown` for a type of later years, `unreadable` where nothing could be read."""
    kind = record.get("type")
    if not record or not isinstance(kind, str):
        return "unreadable"
    return kind if kind in KINDS else "unknown"


def title(record: Mapping[str, Any], stage: str = "") -> str:
    """What happened, in one line. `stage` is the stage's name in the reader's language, where it is known."""
    match kind_of(record):
        case "event":
            return stage or _stage(record)
        case "correction":
            return _("Khai lại một bước ghi nhầm: %(name)s", name=stage or _stage(record))
        case "key":
            return _key(_object(record.get("key")))
        case "erasure":
            return _erasure(erased_in(record))
        case "recall":
            return _recall(_object(record.get("event")))
        case "live":
            return _("Thứ tự lời nhắn của một phiên live")
        case "claim":
            return _("Lời của bên ngoài: %(name)s", name=claimant(record))
        case "unknown":
            return _("Một dòng thuộc loại mới, trang này chưa biết đọc")
        case _:
            return _("Một dòng không đọc được")


def _recall(event: Mapping[str, Any]) -> str:
    """A recall, or that it was taken back."""
    lifted = "recalled" in str(_object(event.get("persistentDisposition")).get("unset"))
    return _("Bỏ thu hồi") if lifted else _("Thu hồi")


def livestream(record: Mapping[str, Any]) -> str:
    """The id of the livestream whose log an entry is about; empty where it tells none."""
    session = _object(record.get("live")).get("session")
    return session if isinstance(session, str) and is_uuid(session) else ""


def anchored(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What an entry says of a livestream's log, with what each part is called."""
    live = _object(record.get("live"))
    found = []
    if type(live.get("length")) is int:
        found.append((_("Tới lời nhắn số"), number(live["length"])))
    for member, what in (("head", _("Dấu của lời nhắn ấy")), ("decisions", _("Dấu của các quyết định"))):
        if isinstance(live.get(member), str):
            found.append((what, visible(live[member])))
    return found


def claimant(record: Mapping[str, Any]) -> str:
    """Whose claim an entry tells."""
    by = _object(record.get("claim")).get("by")
    return visible(by) if isinstance(by, str) else ""


def claimed(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a claim entry says, with what each part is called."""
    told = _object(record.get("claim"))
    event = _object(told.get("event"))
    found = [(_("Ai nói"), claimant(record))] if told else []
    if isinstance(event.get("bizStep"), str):
        found.append((_("Bước EPCIS"), visible(event["bizStep"])))
    if isinstance(event.get("eventTime"), str):
        found.append((_("Họ nói việc ấy lúc"), visible(event["eventTime"])))
    if told and not event:
        found.append((_("Lời ấy"), _("không nằm trong sổ, chỉ có dấu băm")))
    return found


def erased_in(record: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The (entry, commitment) pairs that an erasure entry tells of; what is not one is left out."""
    told = _object(record.get("erasure")).get("of")
    pairs = told if isinstance(told, list) else []
    return [
        (pair[0], pair[1])
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is int and isinstance(pair[1], str)
    ]


def reason_of(record: Mapping[str, Any]) -> str:
    """Why it was erased, as a sentence; an unknown reason is shown as it stands."""
    reason = _object(record.get("erasure")).get("reason")
    known = {
        "member-left": _("Người ghi đã rời hợp tác xã và xin được quên."),
        "note-withdrawn": _("Lời ghi chú được rút lại."),
        "buyer-asked": _("Người mua xin được quên."),
        "time-over": _("Đã giữ đủ thời hạn."),
    }
    return known.get(reason, visible(reason)) if isinstance(reason, str) else ""


def commitment_name(name: str, kind: str = "") -> str:
    """What a commitment is about, in an entry of this kind."""
    known = {
        MEMBER: _("Máy của ai") if kind == "key" else _("Ai đã ghi"),
        NOTE: _("Lời ghi chú"),
        BUYER: _("Người mua"),
    }
    return known.get(name, visible(name))


def reason_in(event: Mapping[str, Any], key: str) -> str:
    """Why something was lost, as its process calls it; the bare key where no process does."""
    process, _slash, version = str(event.get("soi:process", "")).rpartition("/")
    known = version.isascii() and version.isdigit() and len(version) < 6
    name = reason_name(process, int(version), str(event.get("soi:stage", "")), key) if known else None
    return in_language(*name) if name else visible(key)


def step(name: str) -> str:
    """An EPCIS business step, for a stage that no row names any more."""
    known = {
        "commissioning": _("Một bước làm"),
        "sensor_reporting": _("Một lần đo"),
        "inspecting": _("Một lần kiểm tra"),
        "packing": _("Đóng gói"),
        "shipping": _("Gửi hàng đi"),
        "receiving": _("Mua vào hay nhận về"),
        "destroying": _("Mất đi"),
        "unpacking": _("Mở thùng"),
    }
    return known.get(name, _("Một bước làm"))


def _stage(record: Mapping[str, Any]) -> str:
    event = _object(record.get("event"))
    said = step(str(event.get("bizStep", "")))
    stage = event.get("soi:stage")
    return f"{said} ({visible(stage)})" if isinstance(stage, str) and stage else said


def _key(key: Mapping[str, Any]) -> str:
    told = {
        ("custodian", "enrolled"): _("Người giữ sổ đổi sang khoá mới")
        if "replaces" in key
        else _("Khoá của người giữ sổ được ghi vào sổ"),
        ("ledger", "enrolled"): _("Sổ có khoá mới, hai khoá cùng ký một thời gian"),
        ("ledger", "retired"): _("Khoá cũ của sổ thôi ký"),
        ("device", "enrolled"): _("Nhận khoá của một chiếc điện thoại"),
        ("device", "revoked"): _("Khoá của một chiếc điện thoại thôi dùng"),
        ("device", "lost"): _("Báo mất một chiếc điện thoại"),
    }
    return told.get((str(key.get("role")), str(key.get("status"))), _("Có chuyện với một khoá"))


def _erasure(pairs: list[tuple[int, str]]) -> str:
    names = {name for _index, name in pairs}
    count = len(pairs)
    if names == {NOTE}:
        return _("Xoá một lời ghi chú") if count == 1 else _("Xoá %(count)s lời ghi chú", count=number(count))
    if names == {MEMBER}:
        return _("Quên ai đã ghi %(count)s dòng", count=number(count))
    if names == {BUYER}:
        return _("Quên một người mua")
    return _("Xoá %(count)s điều riêng tư", count=number(count))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
