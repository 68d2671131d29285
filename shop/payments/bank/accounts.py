"""Where a cooperative's buyers transfer to. Its office writes it down."""

import unicodedata
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select

from shop.payments.bank.banks import BANKS
from shop.payments.bank.models import BankAccount, Watcher
from shop.payments.owners import is_for
from shop.payments.vietqr import VietQr
from village import clock
from village.db import db, write
from village.errors import BadInput
from village.forms import choice
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.settings import Settings
from village.text import clean_line


@dataclass(frozen=True)
class Typed:
    """A form, as it was typed."""

    bin: str
    account: str
    holder: str
    watcher: str
    open: bool


def account_of(actor: Actor) -> BankAccount | None:
    """The account of the member's own cooperative."""
    _authorise(actor)
    return db.session.get(BankAccount, actor.cooperative_id)


def watchers(actor: Actor) -> tuple[Watcher, ...]:
    """Who can tell the actor's cooperative of money, as the settings have it."""
    settings: Settings = current_app.extensions["soi"]
    found: list[Watcher] = ["sepay"] if settings.sepay_key or settings.sepay_secret else []
    if settings.payos_client_id and is_for(settings.payos_seller, actor.cooperative_id):
        found.append("payos")
    return (*found, "none")


def save(actor: Actor, typed: Typed) -> BankAccount:
    """Write the account of the member's own cooperative down. BadInput names the field at fault."""
    _authorise(actor)
    bank = choice(typed.bin, "bin", BANKS)
    watcher = choice(typed.watcher, "watcher", watchers(actor))
    number = "".join(clean_line(typed.account, "account", 40).upper().split())
    if not (number.isascii() and number.isalnum() and 6 <= len(number) <= 19):
        raise BadInput("bad-account", _l("Số tài khoản gồm 6 đến 19 chữ số, viết liền."), field="account")
    with write() as session:
        same = select(BankAccount.cooperative_id).where(BankAccount.bin == bank, BankAccount.account == number)
        if session.scalar(same.where(BankAccount.cooperative_id != actor.cooperative_id)) is not None:
            # Money without a memo could then not be told to be anybody's, and would stand on nobody's desk.
            raise BadInput(
                "account-taken", _l("Hợp tác xã khác đã ghi số tài khoản này. Bác xem lại số giúp mình."),
                field="account",
            )  # fmt: skip
        account = session.get(BankAccount, actor.cooperative_id)
        if account is None:
            account = BankAccount(cooperative_id=actor.cooperative_id)
            session.add(account)
        account.bin, account.account, account.holder = bank, number, _capitals(typed.holder)
        account.watcher, account.open = watcher, typed.open  # type: ignore[assignment]  # `choice` gives one of them
        account.member_id, account.changed_at = actor.id, clock.now()
        session.flush()
        return account


def trial(account: BankAccount) -> str:
    """The text of a code without an amount, by which the office sees in its bank's own app whose account this is."""
    return VietQr(account.bin, account.account, purpose="SOI THU").payload


def _capitals(holder: str) -> str:
    """A name as banks write it: `HTX MIEN DONG BINH LU`."""
    name = clean_line(holder, "holder", 80)
    plain = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D")).upper()
    kept = " ".join("".join(c for c in plain if c.isascii() and (c.isalnum() or c in " .-&")).split())
    if not any(c.isalpha() for c in kept):
        raise BadInput("name-without-letter", _l("Tên phải có ít nhất một chữ cái đọc được."), field="holder")
    return kept


def _authorise(actor: Actor) -> None:
    if not actor.has(Role.OFFICE):
        raise wrong_role()
