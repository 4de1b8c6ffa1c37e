"""What a step, and a batch of steps, changes in the bank and whom it has to tell."""

from collections.abc import Callable

import msgspec

from bacen.simulator.participants import Participant
from bacen.simulator.payments import Payment
from bacen.wire import CreditTransfer, Message, Modification, PaymentReturn, StatusReport

# Makes a message out of the fields of its header: sender, receiver, message_id, created_at.
Draft = Callable[..., Message]


class Rejection(msgspec.Struct, frozen=True):
    """A message that the bank could not take: becomes an admi.002."""

    ispb: str
    reference: str
    reason: str
    location: str | None = None
    description: str | None = None
    additional_data: str | None = None


class ReceivedMessage(msgspec.Struct, frozen=True, array_like=True):
    """A BizMsgIdr that is taken, and the payments and returns it speaks of."""

    message_id: str
    ispb: str
    at_ms: int
    instruction_ids: list[str]


class Supply(msgspec.Struct, frozen=True, array_like=True):
    """Money that came to a PI account from the STR, or went there (below zero), and when."""

    control_number: str
    ispb: str
    amount_cents: int
    at_ms: int


class FileRequest(msgspec.Struct, frozen=True, array_like=True):
    """A camt.060 that asks for the entries of an account, from a time until before another."""

    message_id: str
    ispb: str
    first_ms: int
    end_ms: int


class Move(msgspec.Struct, frozen=True, array_like=True):
    """A direct participant asks to settle for an indirect one of another, which has to let it go.

    Attributes:
        indirect_ispb: Who is to move.
        direct_ispb: Who asks.
        message_id: Of its reda.014.
        cnpj: Of the indirect one.
        until_ms: When the request lapses.
    """

    indirect_ispb: str
    direct_ispb: str
    message_id: str
    cnpj: str
    until_ms: int


class OwnData(msgspec.Struct, frozen=True, array_like=True):
    """What a participant last told of itself in a reda.022, and when."""

    ispb: str
    at_ms: int
    modifications: tuple[Modification, ...]


class Changes:
    """What a batch of messages changed and whom the bank has to tell."""

    __slots__ = (
        "accounts",
        "drafts",
        "file_requests",
        "files_made",
        "forwards",
        "moves",
        "own_data",
        "participants",
        "payments",
        "received",
        "rejections",
        "reports",
        "returns",
        "supplies",
    )

    def __init__(self) -> None:
        self.accounts: set[str] = set()
        self.payments: dict[str, Payment] = {}
        self.received: dict[str, ReceivedMessage] = {}
        self.reports: dict[str, list[StatusReport]] = {}
        self.forwards: dict[tuple[str, str, str], list[CreditTransfer]] = {}
        self.returns: dict[str, list[PaymentReturn]] = {}
        self.drafts: list[tuple[str, Draft]] = []
        self.rejections: list[Rejection] = []
        self.supplies: dict[str, Supply] = {}
        self.file_requests: list[FileRequest] = []
        self.files_made: list[str] = []
        self.participants: dict[str, Participant] = {}
        self.moves: dict[str, Move | None] = {}  # by the indirect one; None: it is over
        self.own_data: dict[str, OwnData] = {}

    def receive(self, message: ReceivedMessage) -> None:
        self.received[message.message_id] = message

    def report(self, ispb: str, report: StatusReport) -> None:
        self.reports.setdefault(ispb, []).append(report)

    def write(self, ispb: str, draft: Draft) -> None:
        """Tell a participant something that goes in a message of its own."""
        self.drafts.append((ispb, draft))

    def add(self, step: "Changes") -> None:
        """Take over what one step changed."""
        self.accounts |= step.accounts
        self.payments |= step.payments
        self.received |= step.received
        for ispb, reports in step.reports.items():
            self.reports.setdefault(ispb, []).extend(reports)
        for address, transfers in step.forwards.items():
            self.forwards.setdefault(address, []).extend(transfers)
        for ispb, returns in step.returns.items():
            self.returns.setdefault(ispb, []).extend(returns)
        self.drafts += step.drafts
        self.rejections += step.rejections
        self.supplies |= step.supplies
        self.file_requests += step.file_requests
        self.files_made += step.files_made
        self.participants |= step.participants
        self.moves |= step.moves
        self.own_data |= step.own_data
