"""How long the long tests are: `make soak` sets SOAK, and what is counted is counted that many times."""

import os


def times(count: int) -> int:
    """`count` in the suite; `count` × SOAK in `make soak`."""
    return count * int(os.environ.get("SOAK", "1"))
