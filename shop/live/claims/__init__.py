"""A viewer's own short link: what she has, her turn in the queue, where it goes and how she pays.

For the other folders of the livestream:

    claims.ensure(session, live, author_id) -> LiveClaim      her link, made where she has none (ensure_all for several)
    claims.link(claim) -> str                                 the whole address, to be sent to her
"""

from shop.live.claims.keys import ensure, ensure_all, link

__all__ = ["ensure", "ensure_all", "link"]
