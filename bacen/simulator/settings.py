from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bacen.simulator.errors import InvalidBankSettings

STREAMS_MAX = 6  # BCB Manual das Interfaces 1.12: read streams of one participant and channel
IDEMPOTENCY_HOURS = 24  # BCB Manual das Interfaces 1.12: memory of a BizMsgIdr


@dataclass(frozen=True, slots=True, kw_only=True)
class BankSettings:
    """How the central bank in a box runs.

    Attributes:
        home: Folder of its database and its certificates; made when absent.
        host: Address that both listeners bind.
        port: Port of ICOM and DICT (HTTPS, client certificate required); 0 picks a free one.
        admin_port: Port of health, metrics and the inspection pages (plain HTTP); 0 picks one.
        connected: ISPBs that speak for themselves over ICOM; all others answer inside the bank.
        pi_balance_cents: PI account of each direct participant at the first start, in centavos.
        pi_balances_cents: The same for single participants, by ISPB.
        acceptance_timeout_ms: From AccptncDtTm to settlement, PAGPRI (Manual de Tempos 7.0: 40 s);
            for PAGFRD from the receipt by the bank.
        scheduled_timeout_ms: From the receipt to settlement, PAGAGD (Manual de Tempos 7.0: 45 min).
        long_poll_ms: How long a stream without messages is held open before 204.
        streams_max: Read streams of one participant.
        stream_grace_ms: From the end of a reader's connection until its unconfirmed messages go
            to another stream.
        stream_idle_ms: The same for a reader that keeps its connection but does not ask.
        compress_answers: Whether answers are compressed for a reader that accepts gzip.
        retention_hours: How long finished payments are remembered; not below 24, the time for
            which a BizMsgIdr is idempotent.

    Raises:
        InvalidBankSettings: A value cannot work.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 0
    admin_port: int = 0
    connected: tuple[str, ...] = ("12345678",)
    pi_balance_cents: int = 1_000_000_000_000
    pi_balances_cents: Mapping[str, int] = field(default_factory=dict)
    acceptance_timeout_ms: int = 40_000
    scheduled_timeout_ms: int = 45 * 60_000
    long_poll_ms: int = 5_000
    streams_max: int = STREAMS_MAX
    stream_grace_ms: int = 1_000
    stream_idle_ms: int = 60_000
    compress_answers: bool = False
    retention_hours: int = 48

    def __post_init__(self) -> None:
        if self.retention_hours < IDEMPOTENCY_HOURS:
            raise InvalidBankSettings("retention_hours", "a BizMsgIdr is idempotent for 24 hours")
        for name in ("acceptance_timeout_ms", "scheduled_timeout_ms", "streams_max"):
            if getattr(self, name) < 1:
                raise InvalidBankSettings(name, "must be at least 1")
        for name in ("pi_balance_cents", "long_poll_ms", "stream_grace_ms", "stream_idle_ms"):
            if getattr(self, name) < 0:
                raise InvalidBankSettings(name, "must not be negative")
