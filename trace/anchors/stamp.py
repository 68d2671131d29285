"""Time stamps (RFC 3161): the question that an authority is asked, and whether its answer holds.

The reading and the chain of certificates are rfc3161-client's; what it leaves open is asked for here.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.x509 import Certificate
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from trace.anchors.der import with_sorted_certificates

MOST_BYTES = 64 * 1024
"""An answer has a few KiB: the token and its chain of certificates."""
MOST_APART = dt.timedelta(hours=1)
"""How far the authority's clock may be from ours. Further, and one of the two is wrong: somebody has to look."""
SHA256 = "2.16.840.1.101.3.4.2.1"


class StampError(Exception):
    """The authority gave no stamp that holds; the text says why, in one sentence."""


@dataclass(frozen=True)
class Stamp:
    """An answer that holds."""

    token: bytes
    """The whole TimeStampResp in DER, as it came."""
    stamped_at: dt.datetime
    """The authority's own time."""


def question(data: bytes) -> TimeStampRequest:
    """A request for a stamp over SHA-256 of `data`, with a fresh nonce, that asks for the authority's certificates."""
    return TimestampRequestBuilder(data, HashAlgorithm.SHA256, nonce=True, cert_req=True).build()


def check(answer: bytes, asked: TimeStampRequest, roots: Sequence[Certificate], now: dt.datetime) -> Stamp:
    """Take `answer` for a stamp on what was `asked`, or raise StampError.

    It must be granted, over the same digest and with the same nonce, and signed by a certificate for time stamping
    that leads to one of `roots` and was good at the time that the stamp states.
    """
    if len(answer) > MOST_BYTES:
        raise StampError(f"the answer has more than {MOST_BYTES} bytes")
    try:
        response = decode_timestamp_response(with_sorted_certificates(answer))
        _granted(response)
        told = response.tst_info
        imprint = told.message_imprint
        if (imprint.hash_algorithm.dotted_string, imprint.message) != (SHA256, asked.message_imprint.message):
            raise StampError("the stamp is over something else than what was sent")
        if told.nonce != asked.nonce:
            raise StampError("the stamp answers another request: its nonce is not ours")
        verifier = VerifierBuilder(roots=list(roots), nonce=asked.nonce).build()
        verifier.verify(response, asked.message_imprint.message)
        stamped_at = told.gen_time
    except VerificationError as error:
        raise StampError(f"the stamp does not hold: {str(error)[:200]}") from error
    except StampError:
        raise
    except Exception as error:
        # Two libraries read a stranger's bytes here, and each raises what it likes.
        raise StampError(f"the answer is no time stamp: {str(error)[:200]}") from error
    stamped_at = stamped_at if stamped_at.tzinfo else stamped_at.replace(tzinfo=dt.UTC)
    if abs(stamped_at - now) > MOST_APART:
        raise StampError(f"the authority's clock says {stamped_at:%Y-%m-%d %H:%M} UTC, ours {now:%Y-%m-%d %H:%M}")
    return Stamp(answer, stamped_at)


def _granted(response: TimeStampResponse) -> None:
    if response.status == PKIStatus.GRANTED:
        return
    said = "; ".join(response.status_string)[:200]
    raise StampError(f"the authority refused (status {response.status}){': ' + said if said else ''}")
