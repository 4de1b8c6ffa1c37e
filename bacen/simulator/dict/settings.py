from dataclasses import dataclass

from bacen.dict import CATEGORY_RULES
from bacen.simulator.errors import InvalidBankSettings

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DictSettings:
    """How the DICT of the bank runs. What the API does not say is marked with a star.

    Attributes:
        category: Of every participant, A to H; it decides how many keys a minute may be read.
        rate_factor: All buckets hold and refill this many times as much; load tests raise it.
        blocked_tax_ids: CPFs and CNPJs that the tax authority does not let own a key*.
        cid_file_delay_ms: From the request of a CID file to its next state*.
        cid_file_lifetime_ms: How long an available CID file is served*.
        tracking_delay_ms: From the opening of a funds recovery to its next state*.
        complaint_days: How long after its settlement a payment can be the root of a recovery*.
        refund_days: How long after its settlement a payment can be refunded*.

    Raises:
        InvalidBankSettings: A value cannot work.
    """

    category: str = "A"
    rate_factor: int = 1
    blocked_tax_ids: tuple[str, ...] = ()
    cid_file_delay_ms: int = 500
    cid_file_lifetime_ms: int = DAY_MS
    tracking_delay_ms: int = 500
    complaint_days: int = 80
    refund_days: int = 90

    def __post_init__(self) -> None:
        if self.category not in CATEGORY_RULES:
            raise InvalidBankSettings("directory.category", "must be a letter from A to H")
        for name in ("rate_factor", "cid_file_lifetime_ms", "complaint_days", "refund_days"):
            if getattr(self, name) < 1:
                raise InvalidBankSettings(f"directory.{name}", "must be at least 1")
        for name in ("cid_file_delay_ms", "tracking_delay_ms"):
            if getattr(self, name) < 0:
                raise InvalidBankSettings(f"directory.{name}", "must not be negative")
