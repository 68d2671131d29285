"""Why a source could not be read, as slugs that its page has words for."""


class SourceFault(Exception):
    """The platform did not give what was asked. `slug` says why; its own words stay outside of logs and pages."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


UNREACHABLE = "unreachable"
"""No answer, or none that makes sense: asked again later."""
REFUSED = "refused"
"""Our token is not good for this any more: somebody has to make a new one."""
TOO_OFTEN = "too-often"
"""We are to be quiet for a while."""
GONE = "gone"
"""There is no such live video, or it was taken down."""
NOT_REACHED = "not-reached"
"""This viewer cannot be written to, or not about this comment: another may be."""
LOST_PLACE = "lost-place"
"""The place up to which we had read is not known there any more: read again from the beginning."""
