"""Connecting a session with a live video of the village's page."""

import re

from flask import current_app

from shop.live.services import authorised
from shop.live.sources import errors
from shop.live.sources.facebook.graph import Graph, Video
from shop.live.sources.facebook.told import is_number
from shop.live.sources.faults import SourceFault
from shop.live.sources.services import add_in, offered
from village.db import db, write
from village.people.access import Actor
from village.settings import Settings

_IN_ADDRESS = re.compile(r"(?:/videos/(?:[^/?#]+/)?|[?&]v=|/reel/|/posts/(?:[^/?#]+/)?)([0-9]{3,40})")
ADDRESS_MAX = 500


def graph() -> Graph:
    """The Graph API as this village's page."""
    settings: Settings = current_app.extensions["soi"]
    return Graph(settings.facebook_url, settings.facebook_token, settings.facebook_page)


def connect(actor: Actor, session_id: str, address: str) -> str:
    """Read the comments of this live video into the session; the source's id.

    `address` is what a seller can copy: the video's address or its number; empty for the one that is live now. BadInput
    names `video`; Conflict when Facebook does not answer, or another session reads it.
    """
    authorised(db.session(), actor, session_id)
    if not offered(actor)["facebook"]:
        raise errors.not_set_up()
    number = number_in(address)
    db.session.remove()
    try:
        with graph() as asked:
            video = _chosen(asked.videos(), number)
    except SourceFault as fault:
        raise errors.platform_silent() from fault
    with write() as session:
        live = authorised(session, actor, session_id)
        return add_in(session, live, "facebook", external_id=video.id, alias=video.alias or None).id


def number_in(address: str) -> str:
    """The number in a video's address; empty when nothing was typed. BadInput for anything else."""
    text = address.strip()
    if not text or is_number(text):
        return text
    found = _IN_ADDRESS.search(text[:ADDRESS_MAX])
    if found is None:
        raise errors.bad_video()
    return found[1]


def _chosen(videos: list[Video], number: str) -> Video:
    if number:
        found = [video for video in videos if number in (video.id, video.alias)]
        if not found:
            raise errors.no_such_video()
        return found[0]
    live = [video for video in videos if video.live]
    if len(live) != 1:
        raise errors.several_live() if live else errors.nothing_live()
    return live[0]
