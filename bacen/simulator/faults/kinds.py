"""The faults there are: one row each, with what may be said about it.

A fault changes what a participant is told, when, or how; what the bank decides and stores is
never touched by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LATE = "late"
LOST = "lost"
DUPLICATE = "duplicate"
REORDER = "reorder"
BAD_SIGNATURE = "bad_signature"
WRONG_VERSION = "wrong_version"
ADMI002 = "admi002"
CLOCK_SKEW = "clock_skew"
STORED_5XX = "stored_5xx"
CUT_AFTER_STORING = "cut_after_storing"
TOO_MANY_REQUESTS = "too_many_requests"
MAINTENANCE = "maintenance"
SLOW_DICT = "slow_dict"
DICT_DOWN = "dict_down"
EXPIRED_CERTIFICATE = "expired_certificate"

ICOM, DICT = "icom", "dict"
SERVICES = (ICOM, DICT)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What one fault does and takes.

    Attributes:
        does: One line for people.
        by: Default of `by`, a length of time; None: it takes none.
        is_signed: `by` may be negative.
        takes_message: It can be bound to one kind of message.
        message: The kind it is bound to where none is given; None: every kind.
        takes_service: It can be bound to ICOM or DICT.
        takes_ispb: It can be bound to one participant.
    """

    does: str
    by: str | None = None
    is_signed: bool = False
    takes_message: bool = False
    message: str | None = None
    takes_service: bool = False
    takes_ispb: bool = True


KINDS: Mapping[str, FaultKind] = {
    LATE: FaultKind(
        "a message (pacs.002) is handed out later", by="5s", takes_message=True, message="pacs.002"
    ),
    LOST: FaultKind(
        "a message (pacs.002) is never handed out", takes_message=True, message="pacs.002"
    ),
    DUPLICATE: FaultKind(
        "a message is handed out twice under one PI-ResourceId", takes_message=True
    ),
    REORDER: FaultKind(
        "a message is overtaken by the next one, or waits so long", by="1s", takes_message=True
    ),
    BAD_SIGNATURE: FaultKind("the signature of a message does not hold", takes_message=True),
    WRONG_VERSION: FaultKind(
        "a message names a version that nobody speaks, well signed", takes_message=True
    ),
    ADMI002: FaultKind("the sender gets an admi.002 instead of the outcome of its payment"),
    CLOCK_SKEW: FaultKind(
        "times in messages and HTTP dates are off by so much",
        by="5m",
        is_signed=True,
        takes_message=True,
        takes_service=True,
    ),
    STORED_5XX: FaultKind("a POST is stored and answered 500"),
    CUT_AFTER_STORING: FaultKind("a POST is stored and its connection cut without an answer"),
    TOO_MANY_REQUESTS: FaultKind("a request is answered 429", takes_service=True),
    MAINTENANCE: FaultKind("a request is answered 503, nothing is stored", takes_service=True),
    SLOW_DICT: FaultKind("DICT answers later", by="2s"),
    DICT_DOWN: FaultKind("DICT answers 503"),
    EXPIRED_CERTIFICATE: FaultKind(
        "a new TLS connection is shown a server certificate that has expired", takes_ispb=False
    ),
}
