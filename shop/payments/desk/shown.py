"""How puzzles and what became of them are told to people."""

from shop.orders.models import Status
from shop.payments.desk import disputes
from shop.payments.models import PaymentPuzzle, Puzzle
from village.i18n import gettext as _


def why(kind: Puzzle) -> str:
    """Why it stands on the desk."""
    return {
        Puzzle.UNMATCHED: _("Không rõ của đơn nào"),
        Puzzle.UNDER: _("Chuyển thiếu"),
        Puzzle.OVER: _("Chuyển thừa"),
        Puzzle.DOUBLE: _("Đơn đã trả rồi, lại chuyển nữa"),
        Puzzle.LATE: _("Tiền về sau khi hết giờ giữ hàng"),
        Puzzle.CANCELLED: _("Tiền về sau khi đơn đã huỷ"),
        Puzzle.CURRENCY: _("Không phải tiền đồng"),
        Puzzle.MISSING: _("Sao kê có mà chưa ai báo"),
        Puzzle.UNKNOWN: _("Mình có ghi mà ngân hàng không có"),
        Puzzle.DISPUTE: _("Khách đòi ngân hàng lấy lại tiền thẻ"),
    }[kind]


def facts(puzzle: PaymentPuzzle) -> list[tuple[str, str]]:
    """What is known of it beside the order: names and values."""
    if puzzle.kind is Puzzle.DISPUTE:
        return disputes.facts(puzzle)
    return [(_("Nội dung"), puzzle.memo)] if puzzle.memo else []


def advice(puzzle: PaymentPuzzle) -> str:
    """What can be done about it."""
    if puzzle.kind is Puzzle.DISPUTE:
        return disputes.advice(puzzle)
    if puzzle.kind is Puzzle.UNDER and puzzle.order is not None and puzzle.order.status is Status.CANCELLED:
        return _("Đơn đã huỷ: trả lại phần đã nhận ở trang của đơn, rồi để khoản này qua một bên.")
    return {
        Puzzle.UNMATCHED: _("Hỏi người mua số đơn rồi ghi vào. Không tìm ra thì chuyển trả."),
        Puzzle.UNDER: _("Đơn vẫn chờ phần còn thiếu. Người mua chuyển thêm là tự xong."),
        Puzzle.OVER: _("Phần thừa là của người mua: chuyển trả, hoặc ghi vào đơn khác của họ."),
        Puzzle.DOUBLE: _("Khoản này là của người mua: chuyển trả, hoặc ghi vào đơn khác của họ."),
        Puzzle.LATE: _("Hàng đã trả về kệ. Chuyển trả, hoặc người mua đặt lại thì ghi vào đơn mới."),
        Puzzle.CANCELLED: _("Đơn không còn. Chuyển trả, hoặc người mua đặt lại thì ghi vào đơn mới."),
        Puzzle.CURRENCY: _("Mình chỉ nhận tiền đồng. Chuyển trả rồi ghi lại."),
        Puzzle.MISSING: _("Xem nội dung, hỏi người mua số đơn rồi ghi vào."),
        Puzzle.UNKNOWN: _("Bác đối chiếu với ngân hàng trước khi gửi hàng."),
    }[puzzle.kind]


def became(puzzle: PaymentPuzzle) -> str:
    """What was decided, in a word and with what was noted."""
    word = {
        "matched": _("Đã ghi vào đơn %(number)s", number=puzzle.order.number if puzzle.order else ""),
        "refunded": _("Đã chuyển trả: %(note)s", note=puzzle.note),
        "set_aside": _("Để qua một bên: %(note)s", note=puzzle.note),
        "kept": _("Xong, mình giữ được tiền"),
    }[puzzle.resolution]
    return _("Người mua đã chuyển đủ") if puzzle.kind is Puzzle.UNDER and puzzle.resolution == "matched" else word
