"""The one repair that time-stamp answers need: the certificates of a CMS message in the order that DER demands.

RFC 5652 asks for no order there, and OpenSSL, which many authorities run, keeps none; our reader takes strict DER only.
No signature covers that set, so its order says nothing.
"""

_CERTIFICATES = 0xA0
_PATH = ((0x30, 1), (0x30, 1), (0xA0, 0), (0x30, 3))
"""From TimeStampResp to the certificates: each container's tag, and which of its members comes next."""


def with_sorted_certificates(answer: bytes) -> bytes:
    """`answer`, a TimeStampResp, with its certificates in order; as it is, where it has none or is no such thing."""
    start, end = 0, len(answer)
    try:
        for tag, member in _PATH:
            start, end = _inside(answer, start, end, tag)
            for _ in range(member):
                start = _whole(answer, start, end)
        start, end = _inside(answer, start, end, _CERTIFICATES)
        members = []
        at = start
        while at < end:
            after = _whole(answer, at, end)
            members.append(answer[at:after])
            at = after
    except (IndexError, ValueError):
        return answer
    return answer[:start] + b"".join(sorted(members)) + answer[end:]


def _inside(data: bytes, start: int, end: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at `start` begins and ends."""
    if start >= end or data[start] != tag:
        raise ValueError("another element")
    length, at = data[start + 1], start + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 3:
            raise ValueError("no definite length, or a huge one")
        length, at = int.from_bytes(data[at : at + count]), at + count
    if at + length > end:
        raise ValueError("longer than what holds it")
    return at, at + length


def _whole(data: bytes, start: int, end: int) -> int:
    """Where the element at `start` ends."""
    if start >= end:
        raise ValueError("no element")
    return _inside(data, start, end, data[start])[1]
