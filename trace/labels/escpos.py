"""Labels as a thermal printer takes them from its cable: ESC/POS, as printed pictures and nothing else.

Only two commands are used, which every such printer knows: `ESC @` (begin anew) and `GS v 0` (print these dots).
Source: the ESC/POS command references of the printers' makers.
"""

from PIL import Image

BEGIN = b"\x1b@"
_BAND = 128
"""Rows to a command: cheap printers have room for little more."""


def picture(image: Image.Image) -> bytes:
    """The commands that print these dots; the picture is a whole number of bytes wide."""
    wide = image.width // 8
    # In Pillow's bytes a set bit is white, in the printer's it burns.
    dots = bytes(byte ^ 0xFF for byte in image.tobytes())
    commands = []
    for top in range(0, image.height, _BAND):
        rows = min(_BAND, image.height - top)
        commands.append(b"\x1dv0\x00" + wide.to_bytes(2, "little") + rows.to_bytes(2, "little"))
        commands.append(dots[top * wide : (top + rows) * wide])
    return b"".join(commands)
