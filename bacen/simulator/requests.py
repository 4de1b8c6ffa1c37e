"""What the processes of the bank ask of each other."""

from collections.abc import Callable
from dataclasses import dataclass

from bacen.icom import ChannelName
from bacen.simulator.outbox import Letter
from bacen.simulator.registrations import PublicData
from bacen.wire import Pacs002, Pacs004, Pacs008

SETTLEMENT = "bacen.settlement"
MAILROOM = "bacen.mailroom"


@dataclass(frozen=True, slots=True)
class Receive:
    """To the settlement: messages of one POST. Replies their PI-ResourceIds once stored."""

    ispb: str
    bodies: tuple[bytes, ...]
    channel: ChannelName = ChannelName.PRIMARY


@dataclass(frozen=True, slots=True)
class Originate:
    """To the settlement: what a virtual participant sends. Replies None once stored.

    Raises `BankFault` at the caller when the bank fails on it.
    """

    message: Pacs008 | Pacs004 | Pacs002


@dataclass(frozen=True, slots=True)
class MoveLiquidity:
    """To the settlement: money from the STR, or to it (below zero). Replies None once stored.

    Asked again with the same control number it moves nothing. Raises `UnknownAccount`,
    `InsufficientBalance` or `ControlNumberTaken` at the caller; then nothing was moved.
    """

    ispb: str
    amount_cents: int
    control_number: str


@dataclass(frozen=True, slots=True)
class Announce:
    """To the settlement: a text for all connected participants (admi.004). Replies None."""

    text: str


@dataclass(frozen=True, slots=True)
class ChangeParticipant:
    """To the settlement: what everybody knows of a participant is new. Replies None once stored.

    Raises `BankFault` at the caller where there is no such participant.
    """

    ispb: str
    public: PublicData


@dataclass(frozen=True, slots=True)
class GetParticipant:
    """To the settlement: replies (`Participant`, its `OwnData` or None), or None."""

    ispb: str


@dataclass(frozen=True, slots=True)
class GetAccount:
    """To the settlement: replies the `PiAccount` or None."""

    ispb: str


@dataclass(frozen=True, slots=True)
class GetPayment:
    """To the settlement: replies the `Payment` of an EndToEndId or RtrId, or None."""

    instruction_id: str


@dataclass(frozen=True, slots=True)
class GetBankStatistics:
    """To the settlement: replies `BankStatistics`."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """To the settlement: rows of the outbox, once for each letter confirmed."""

    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Post:
    """To the mailroom: stored letters for one participant, in order."""

    ispb: str
    letters: tuple[Letter, ...]


@dataclass(frozen=True, slots=True)
class StartStream:
    """To the mailroom: replies a `Delivery`, or raises `TooManyStreams`."""

    ispb: str
    letters_max: int
    is_connected: Callable[[], bool]
    channel: ChannelName = ChannelName.PRIMARY


@dataclass(frozen=True, slots=True)
class PullStream:
    """To the mailroom: replies a `Delivery`, or raises `StreamGone`."""

    ispb: str
    token: str
    letters_max: int
    is_connected: Callable[[], bool]
    channel: ChannelName = ChannelName.PRIMARY


@dataclass(frozen=True, slots=True)
class CloseStream:
    """To the mailroom: replies None, or raises `StreamGone`."""

    ispb: str
    token: str
    channel: ChannelName = ChannelName.PRIMARY


@dataclass(frozen=True, slots=True)
class GetMailStatistics:
    """To the mailroom: replies `MailStatistics`."""


@dataclass(frozen=True, slots=True)
class BankStatistics:
    """Counts since this start, and the accounts as (ISPB, balance, blocked) in centavos."""

    messages: dict[str, int]
    payments: dict[tuple[str, str], int]
    accounts: tuple[tuple[str, int, int], ...]
    pending: int
    late_answers: int
    commits: int
    money_missing_cents: int
    faults: int


@dataclass(frozen=True, slots=True)
class MailStatistics:
    """Open streams and letters waiting, by ISPB; streams abandoned since this start."""

    streams: dict[str, int]
    waiting: dict[str, int]
    abandoned: int
