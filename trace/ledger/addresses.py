"""Numbers in the ledger's addresses."""

from werkzeug.routing import BaseConverter


class Number(BaseConverter):
    """A size or an index as the formats spell it: ASCII digits without leading zeroes, so that each has one address."""

    regex = "0|[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)

    def to_url(self, value: int) -> str:
        """As it stands in an address."""
        return str(value)
