"""The words on a label."""

import unicodedata
from dataclasses import dataclass, fields
from datetime import date

from trace.labels import fonts
from trace.labels.layout import Paragraph

CALL = "Quét để xem cả đường đi của gói này"
_NBSP = "\u00a0"


@dataclass(frozen=True)
class LabelText:
    """What stands on a pack's label. `address` is the scan address in the code; weights are grams.

    `serial` is the pack's own number (GS1 AI 21) on a unit label, which `address` then ends in; empty on a lot's.
    """

    name: str
    net_grams: int
    lot: str
    produced: date
    expires: date
    producer: str
    producer_address: str
    ingredients: str
    gtin: str
    address: str
    usage: str = ""
    warning: str = ""
    serial: str = ""

    def __post_init__(self) -> None:
        # Decomposed marks would be set beside their letters.
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str):
                object.__setattr__(self, field.name, " ".join(unicodedata.normalize("NFC", value).split()))

    @property
    def net(self) -> str:
        """`500 g`, `1 kg`, `1,25 kg`."""
        if self.net_grams < 1000:
            return f"{self.net_grams} g"
        whole, rest = divmod(self.net_grams, 1000)
        return f"{whole},{rest:03d}".rstrip("0").rstrip(",") + " kg"

    @property
    def dates(self) -> str:
        """`NSX 20/11/2026 HSD 20/11/2027`, each held together."""
        return f"NSX{_NBSP}{day(self.produced)} HSD{_NBSP}{day(self.expires)}"

    @property
    def numbers(self) -> list[str]:
        """GS1's human readable interpretation of lot and product, without the serial: (01) and (10)."""
        return [f"(01){_NBSP}{self.gtin}", f"(10){_NBSP}{self.lot}"]

    def law(self) -> list[Paragraph]:
        """What the law wants on a pack of food beside name, lot and code."""
        found = [
            Paragraph(f"Khối lượng tịnh: {self.net.replace(' ', _NBSP)}", fonts.BOLD, 1.15),
            Paragraph(self.dates, fonts.BOLD, 1.0, 0.1),
            Paragraph(f"Thành phần: {self.ingredients}", space=0.2),
        ]
        if self.usage:
            found.append(Paragraph(f"Cách dùng, cất giữ: {self.usage}", space=0.2))
        if self.warning:
            found.append(Paragraph(f"Lưu ý: {self.warning}", fonts.BOLD, space=0.2))
        found.append(Paragraph(f"Sản xuất: {self.producer}", space=0.2))
        found.append(Paragraph(f"Tại: {self.producer_address}"))
        return found

    def short(self) -> list[Paragraph]:
        """What fits beside the code on the smallest labels; the law's other words stand on the pack."""
        return [
            *(Paragraph(part) for part in self.dates.split(" ")),
            *(Paragraph(number) for number in self.numbers),
        ]


def serial_line(serial: str) -> str:
    """The human readable interpretation of a serial."""
    return f"(21){_NBSP}{serial}"


def day(one: date) -> str:
    """`20/11/2026`."""
    return f"{one:%d/%m/%Y}"
