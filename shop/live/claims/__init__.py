"""A viewer's own short link: what she has, her turn in the queue, where it goes and how she pays.

For the other folders of the livestream:

    claims.ensure_all(session, live, {author_id: waits})      their links, made where they have none
    claims.link(claim) -> str                                 the whole address, to be sent to her
"""

from shop.live.claims.keys import ensure_all, link

__all__ = ["ensure_all", "link"]
