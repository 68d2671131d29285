"""A balance's picture as a file of its own, in the light colours of the pages: no style sheet goes along. Pure."""

from xml.sax.saxutils import escape

from batches.balance.drawing import Picture

STRAW, EDGE, ROPE, FLOWER, WASH, INK, SOFT, PAPER = (
    "#c9ae74", "#85774f", "#1d5737", "#b02f17", "#fbe4da", "#1b2a21", "#4b574b", "#fffdf7",
)  # fmt: skip
_FILLS = {"gone": "url(#gone)", "outside": WASH}


def standalone(drawn: Picture, title: str) -> str:
    """The drawing as an SVG document."""
    high = f"{drawn.height:.1f}"
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawn.width} {high}" width="{2 * drawn.width}" '
        f'height="{2 * drawn.height:.1f}" role="img" font-family="Roboto, Noto Sans, sans-serif">',
        f"<title>{escape(title)}</title>",
        '<defs><pattern id="gone" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path d="M0 0V6" stroke="{EDGE}" stroke-width="3.2"/></pattern></defs>',
        f'<rect width="{drawn.width}" height="{high}" fill="{PAPER}"/>',
    ]
    for shape in drawn.shapes:
        if shape.look == "mark":
            parts.append(f'<path d="{shape.path}" fill="{FLOWER}" stroke="{PAPER}" stroke-width="1.5"/>')
            continue
        fill = _FILLS.get(shape.look, STRAW)
        parts.append(
            f'<path d="{shape.path}" fill="{fill}" stroke="{EDGE}" stroke-width=".8">'
            f"<title>{escape(shape.words)}</title></path>"
        )
    for x, y, wide, tall, strong in drawn.bars:
        faint = "" if strong else ' opacity=".75"'
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall}" rx="3" fill="{ROPE}"{faint}/>'
        )
    for start, end, y in drawn.leaders:
        if end > start:
            parts.append(
                f'<path d="M{start:.1f} {y:.1f}H{end}" stroke="{EDGE}" stroke-width="1" stroke-dasharray="1 4"/>'
            )
    for line in drawn.lines:
        look = f'fill="{INK}" font-weight="700"' if line.strong else f'fill="{SOFT}"'
        parts.append(f'<text x="{line.x}" y="{line.y:.1f}" font-size="14" {look}>{escape(line.words)}</text>')
    return "\n".join([*parts, "</svg>", ""])
