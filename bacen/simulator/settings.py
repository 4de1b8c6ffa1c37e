from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bacen.icom import PRIMARY_PER_SECOND
from bacen.simulator.counterparties import Counterparty
from bacen.simulator.dict import DictSettings
from bacen.simulator.errors import InvalidBankSettings
from bacen.simulator.faults import FaultOrder

STREAMS_MAX = 6  # BCB Manual das Interfaces 1.12: read streams of one participant and channel
AT_LEAST_ONE = (
    *("acceptance_timeout_ms", "scheduled_timeout_ms", "streams_max"),
    *("body_timeout_ms", "primary_per_second"),
)
NOT_NEGATIVE = (
    *("pi_balance_cents", "str_balance_cents", "long_poll_ms", "stream_grace_ms", "stream_idle_ms"),
    "return_days",
)
IDEMPOTENCY_HOURS = 24  # BCB Manual das Interfaces 1.12: memory of a BizMsgIdr


@dataclass(frozen=True, slots=True, kw_only=True)
class BankSettings:
    """How the central bank in a box runs.

    Attributes:
        home: Folder of its database and its certificates; made when absent.
        host: Address that both listeners bind.
        port: Port of ICOM and DICT (HTTPS, client certificate required); 0 picks a free one.
        secondary_port: Port of ICOM's secondary channel, the same way.
        admin_port: Port of health, metrics and the inspection pages (plain HTTP); 0 picks one.
        connected: ISPBs that speak for themselves over ICOM; all others answer inside the bank.
        pi_balance_cents: PI account of each direct participant at the first start, in centavos.
        pi_balances_cents: The same for single participants, by ISPB.
        str_balance_cents: Each account at the STR at the first start, in centavos.
        outside_str: Direct participants of the SPI without accounts at the STR.
        acceptance_timeout_ms: From AccptncDtTm to settlement, PAGPRI (Manual de Tempos 7.0: 40 s);
            for PAGFRD from the receipt by the bank.
        scheduled_timeout_ms: From the receipt to settlement, PAGAGD (Manual de Tempos 7.0: 45 min).
        long_poll_ms: How long a stream without messages is held open before 204.
        streams_max: Read streams of one participant on one channel.
        stream_grace_ms: From the end of a reader's connection until its unconfirmed messages go
            to another stream.
        stream_idle_ms: The same for a reader that keeps its connection but does not ask.
        body_timeout_ms: How long the body of a POST may take to arrive before 408.
        primary_per_second: Tokens a second of one participant on the primary channel, its capacity
            five times that (Manual das Interfaces 1.12: 750); more is for load tests in which a few
            participants send what in Brazil hundreds do.
        compress_answers: Whether answers of the primary channel are compressed for a reader that
            accepts gzip; those of the secondary always are.
        retention_hours: How long a BizMsgIdr is remembered; not below 24, the time for which it
            is idempotent.
        entry_days: How long finished payments, returns and movements of the STR are remembered.
        return_days: How long after its settlement a payment may be returned.
        directory: Of DICT.
        faults: In force from the start.
        counterparties: Simulated participants from the start.

    Raises:
        InvalidBankSettings: A value cannot work.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 0
    secondary_port: int = 0
    admin_port: int = 0
    connected: tuple[str, ...] = ("12345678",)
    pi_balance_cents: int = 1_000_000_000_000
    pi_balances_cents: Mapping[str, int] = field(default_factory=dict)
    str_balance_cents: int = 1_000_000_000_000
    outside_str: tuple[str, ...] = ()
    acceptance_timeout_ms: int = 40_000
    scheduled_timeout_ms: int = 45 * 60_000
    long_poll_ms: int = 5_000
    streams_max: int = STREAMS_MAX
    stream_grace_ms: int = 1_000
    stream_idle_ms: int = 60_000
    body_timeout_ms: int = 10_000
    primary_per_second: int = PRIMARY_PER_SECOND
    compress_answers: bool = False
    retention_hours: int = 48
    entry_days: int = 95
    return_days: int = 90
    directory: DictSettings = field(default_factory=DictSettings)
    faults: tuple[FaultOrder, ...] = ()
    counterparties: tuple[Counterparty, ...] = ()

    def __post_init__(self) -> None:
        if self.retention_hours < IDEMPOTENCY_HOURS:
            raise InvalidBankSettings("retention_hours", "a BizMsgIdr is idempotent for 24 hours")
        for name in AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise InvalidBankSettings(name, "must be at least 1")
        for name in NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise InvalidBankSettings(name, "must not be negative")
        if self.entry_days * 24 < max(self.return_days * 24, self.retention_hours):
            raise InvalidBankSettings("entry_days", "not below return_days and retention_hours")
