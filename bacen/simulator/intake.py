"""From bytes to decisions: decode, verify, recognise repetitions, hand to the engine.

The bank has already taken the message when this runs: what is wrong with it is told by an admi.002
that quotes its MsgId or, where that cannot be read, the PI-ResourceId (Manual das Interfaces 1.12).
"""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from bacen.simulator.book_transfers import take_report
from bacen.simulator.changes import Changes, Move, ReceivedMessage, Rejection
from bacen.simulator.engine import Engine
from bacen.simulator.payments import Moment, Payment
from bacen.simulator.registrations import Registrations
from bacen.simulator.relay import RELAYED, hand_on
from bacen.simulator.requests import Receive
from bacen.simulator.statements import Statements
from bacen.simulator.watching import Watch, kind_of
from bacen.wire import (
    SPI_ISPB,
    Camt060,
    InvalidMessage,
    MalformedXml,
    Message,
    Pacs002,
    Pacs004,
    Pacs008,
    Pibr001,
    Pibr002,
    Reda014,
    Reda022,
    Reda031,
    SignatureInvalid,
    Trck002,
    UnknownMessage,
    Verifier,
    WireError,
    decode,
    peek_message_id,
)

UNKNOWN_SCHEMA = "Schema desconhecido ou não habilitado para uso"
FAULT = "Erro interno"
TEXT_MAX = 350


# What a participant may send, and the name under which it is counted.
OWN: tuple[type[Message], ...] = (
    *(Pacs008, Pacs002, Pacs004, Camt060, Pibr001, Reda014, Reda022, Reda031, Trck002),
)
TAKEN: Mapping[type[Message], str] = {kind: kind_of(kind) for kind in (*OWN, *RELAYED)}


class Archive(Protocol):
    """What the store knows of the past."""

    def received(self, message_id: str) -> ReceivedMessage | None: ...

    def payments(self, instruction_ids: list[str]) -> Mapping[str, Payment]: ...

    def returns(self, end_to_end_ids: list[str]) -> Mapping[str, Payment]: ...


class Intake:
    """Takes the messages of participants into the engine.

    Args:
        engine: Decides.
        statements: Answers what is asked about an account.
        archive: Committed messages and payments.
        verifier: Knows the certificates of the participants.
        watch: Tells those who watch.

    Attributes:
        registrations: The register of participants.
        kinds: What was taken, by kind.
    """

    def __init__(
        self,
        engine: Engine,
        statements: Statements,
        archive: Archive,
        verifier: Verifier,
        watch: Watch,
    ) -> None:
        self._engine = engine
        self._statements = statements
        self.registrations = Registrations(engine)
        self._archive = archive
        self._verifier = verifier
        self._watch = watch
        self._recent: dict[str, ReceivedMessage] = {}  # taken, not stored yet
        self.kinds: Counter[str] = Counter()

    def take(
        self, post: Receive, resource_id: str, body: bytes, moment: Moment, changes: Changes
    ) -> None:
        """Take one message as it came, as one step; what a participant sent raises nothing.

        Raises:
            sqlite3.Error: The archive cannot be read.
            Exception: A fault of the bank's own code: the caller undoes the step.
        """
        ispb = post.ispb
        try:
            message = decode(body, self._verifier)
        except WireError as error:
            rejection = rejection_of(error, ispb, resource_id, body)
            changes.rejections.append(rejection)
            self._count(post, "invalid", rejection.reference)
            return
        problem = header_problem(message, ispb)
        if problem is not None:
            changes.rejections.append(
                Rejection(
                    ispb=ispb,
                    reference=message.message_id,
                    reason="Cabecalho invalido",
                    location="/Envelope/AppHdr",
                    description=problem,
                )
            )
            self._count(post, "invalid", message.message_id)
            return
        earlier = self._recent.get(message.message_id) or self._archive.received(message.message_id)
        if earlier is not None:
            known = self._archive.payments(earlier.instruction_ids)
            self._engine.repeat(earlier, ispb, known, changes)
            self._count(post, "repeated", message.message_id)
        else:
            self._decide(message, moment, changes)
            self._count(post, TAKEN[type(message)], message.message_id)

    def give_back(self, message: Pacs004, moment: Moment, changes: Changes) -> None:
        """Hand returns to the engine with what the store knows of their payments."""
        originals = [each.end_to_end_id for each in message.returns]
        ids = [each.return_id for each in message.returns]
        known = {**self._archive.payments(originals + ids), **self._archive.returns(originals)}
        self._engine.give_back(message, known, moment, changes)

    def expire(self, waiting: Payment | Move, moment: Moment, changes: Changes) -> None:
        """End what waited too long."""
        if isinstance(waiting, Move):
            self.registrations.lapse(waiting, changes)
        else:
            self._engine.expire(waiting, moment, changes)

    def stored(self, changes: Changes) -> None:
        """Leave to the archive what it now has."""
        for message_id in changes.received:
            self._recent.pop(message_id, None)

    def _count(self, post: Receive, kind: str, message_id: str) -> None:
        self.kinds[kind] += 1
        self._watch.received(post, kind, message_id)

    def _decide(self, message: Message, moment: Moment, changes: Changes) -> None:
        match message:
            case Pacs008():
                known = self._archive.payments([each.end_to_end_id for each in message.transfers])
                self._engine.pay(message, known, moment, changes)
            case Pacs002():
                self._engine.answer(message, moment, changes)
            case Pacs004():
                self.give_back(message, moment, changes)
            case _:
                sent = ReceivedMessage(message.message_id, message.sender, moment.ms, [])
                changes.receive(sent)
                self._answer(message, moment, changes)
        self._recent[message.message_id] = changes.received[message.message_id]

    def _answer(self, message: Message, moment: Moment, changes: Changes) -> None:
        """Take what speaks of no payment under way."""
        match message:
            case Camt060():
                self._statements.answer(message, moment, changes)
            case Pibr001(sender=ispb, data=data):
                changes.write(ispb, partial(Pibr002, original_data=data))
            case Reda014() | Reda022() | Reda031():
                self.registrations.answer(message, moment, changes)
            case Trck002():
                take_report(message, self._engine.participants, moment, changes)
            case _:
                hand_on(message, self._engine, moment, changes)


def header_problem(message: Message, ispb: str) -> str | None:
    """Say in the bank's words what is wrong with a header, or None."""
    if type(message) not in TAKEN:
        return "Mensagem nao aceita neste sentido"
    if message.sender != ispb or message.message_id[1:9] != ispb:
        return "Remetente difere do participante conectado"
    if message.receiver != SPI_ISPB:
        return "Destinatario difere de 00038166"
    return None


def fault_of(ispb: str, resource_id: str, body: bytes) -> Rejection:
    """Answer a message that the bank failed on; sent again, it is tried again."""
    return Rejection(ispb, peek_message_id(body) or resource_id, FAULT)


def rejection_of(error: WireError, ispb: str, resource_id: str, body: bytes) -> Rejection:
    reference = peek_message_id(body) or resource_id
    match error:
        case MalformedXml():
            return Rejection(ispb, reference, "XML invalido")
        case UnknownMessage():
            return Rejection(ispb, reference, "Schema invalido", description=UNKNOWN_SCHEMA)
        case InvalidMessage(path=path, problem=problem):
            return Rejection(
                ispb,
                reference,
                "Mensagem invalida",
                location=path[:TEXT_MAX] or None,
                description=problem[:TEXT_MAX] or None,
            )
        case SignatureInvalid(problem=problem):
            return Rejection(
                ispb,
                reference,
                "Assinatura invalida",
                location="/Envelope/AppHdr/Sgntr",
                description=problem[:TEXT_MAX] or None,
            )
        case _:
            return Rejection(ispb, reference, "Mensagem invalida")
