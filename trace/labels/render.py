"""A lot's label as anybody may have it: SVG and PNG of its code, and PDFs of 60 × 40 mm, one or plain A4 sheets.

In one ink, so that the village's thermal printer can make it.
"""

import io

from trace.labels import pdf, qr
from trace.labels.design import Design, design
from trace.labels.papers import PLAIN, papers
from trace.labels.symbol import symbol
from trace.labels.text import CALL, LabelText, day

MAX_LABELS = 2100
PER_SHEET = papers()[PLAIN].per_page


def label_svg(label: LabelText) -> str:
    """The QR code alone, 25 mm wide, titled with the product and its lot."""
    return qr.svg(label.address, f"{label.name}, lô {label.lot}. {CALL}.")


def label_png(label: LabelText) -> bytes:
    """The QR code with name, lot, dates and GTIN below, for screens and messages."""
    dates = f"NSX {day(label.produced)} · HSD {day(label.expires)}"
    # Many a name says the net weight already.
    name = label.name if label.name.endswith(label.net) else f"{label.name} · {label.net}"
    lines = (name, f"Lô {label.lot}", dates, f"GTIN {label.gtin}")
    return qr.png(label.address, lines)


def label_pdf(label: LabelText) -> bytes:
    """One label on a page of its own size, for a roll printer."""
    out = io.BytesIO()
    paper = papers()[PLAIN]
    drawn = design(label, paper)
    pdf.single(out, drawn, paper, lot_label(label, drawn), title_of(label), label.producer)
    return out.getvalue()


def sheet_pdf(label: LabelText, count: int) -> bytes:
    """`count` copies (1 to `MAX_LABELS`) on A4, on plain paper with thin cutting marks."""
    if not 1 <= count <= MAX_LABELS:
        raise ValueError(f"A print run has 1 to {MAX_LABELS} labels, not {count}.")
    out, paper = io.BytesIO(), papers()[PLAIN]
    drawn = design(label, paper)
    pdf.sheets(out, drawn, paper, [lot_label(label, drawn)] * count, 1, title_of(label), label.producer)
    return out.getvalue()


def lot_label(label: LabelText, drawn: Design) -> pdf.Label:
    """The one label of a lot."""
    return symbol(label.address, drawn.code.version, drawn.code.level), ""


def title_of(label: LabelText) -> str:
    """What a reader of the PDF sees as its title."""
    return f"{label.name} · Lô {label.lot}"
