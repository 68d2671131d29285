"""Lists in JSON that anybody may send."""

from collections.abc import Callable
from typing import Any

from marshmallow import fields, validate


class ShortList(fields.List[Any]):
    """A list of at most `most` items; of a longer one nothing is looked at.

    marshmallow's own looks at each item first and writes down what is wrong with it: two megabytes of zeros cost half a
    minute and an answer of forty megabytes. `refuse` makes the error for so many items, where the schema's own will not
    do.
    """

    def __init__(
        self, inner: fields.Field[Any], *, most: int, refuse: Callable[[int], Exception] | None = None, **more: Any
    ) -> None:
        self._bound = validate.Length(max=most)
        self._most, self._refuse = most, refuse
        super().__init__(inner, validate=self._bound, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self._most:
            if self._refuse is not None:
                raise self._refuse(len(value))
            self._bound(value)
        found: list[Any] = super()._deserialize(value, attr, data, **kwargs)
        return found
