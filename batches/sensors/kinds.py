"""What a sensor may measure: its unit, and the bounds that are proposed for a new one. Values in thousandths."""

from dataclasses import dataclass

from trace.series.shown import NAMES


@dataclass(frozen=True)
class Measure:
    """One kind of measurement. `type` is EPCIS's name for it (or ours), `unit` the UN/CEFACT code."""

    type: str
    unit: str
    low: int
    high: int
    """Outside of these the sensor is broken."""
    usual: tuple[int, int] | None = None
    """Where a dryer or a tank usually is."""

    @property
    def name(self) -> str:
        """Its name in the reader's language."""
        return str(NAMES[self.type])


MEASURES = {
    one.type: one
    for one in (
        Measure("Temperature", "CEL", -5_000, 120_000, (30_000, 60_000)),
        Measure("RelativeHumidity", "P1", 0, 100_000, (15_000, 60_000)),
        Measure("Moisture", "P1", 1_000, 90_000),
        Measure("DryMatter", "P1", 1_000, 99_000),
    )
}
