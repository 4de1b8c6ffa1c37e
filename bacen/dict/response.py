"""What every answer of DICT begins with (DICT API 2.12.1)."""

from bacen.dict.forms import CorrelationId, Instant
from bacen.dict.part import Part


class Response(Part, frozen=True, kw_only=True):
    """An answer of DICT.

    Attributes:
        response_time: When DICT answered.
        correlation_id: Id that DICT gave the exchange, 32 hexadecimal digits.
    """

    response_time: Instant
    correlation_id: CorrelationId
