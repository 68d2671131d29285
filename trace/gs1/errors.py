"""What can be wrong with a GS1 identifier.

Each error carries a stable `slug` and `params`, so that a view can say it in the reader's language;
`str(error)` is the same in plain English.
"""


class Gs1Error(ValueError):
    """An identifier that GS1's rules refuse."""

    slug = "bad-gs1-identifier"

    def __init__(self, message: str, **params: str | int) -> None:
        super().__init__(message)
        self.params = params


class NotDigits(Gs1Error):
    """A number that holds something else than the digits 0 to 9."""

    slug = "not-digits"


class WrongLength(Gs1Error):
    """A value shorter or longer than its kind allows."""

    slug = "wrong-length"


class WrongCheckDigit(Gs1Error):
    """A number whose last digit does not fit the others; `params["right"]` is the one that would."""

    slug = "wrong-check-digit"


class ForeignCharacter(Gs1Error):
    """A character outside GS1's character set 82, or a broken percent-escape."""

    slug = "foreign-character"


class NotADigitalLink(Gs1Error):
    """A path that is no GS1 Digital Link for a product."""

    slug = "not-a-digital-link"


class WrongOrder(NotADigitalLink):
    """Known keys in another order than 01, 22, 10, 21, or one of them twice."""

    slug = "wrong-key-order"
