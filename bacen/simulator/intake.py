"""From bytes to decisions: decode, verify, recognise repetitions, hand to the engine.

The bank has already taken the message when this runs: what is wrong with it is told by an admi.002
that quotes its MsgId or, where that cannot be read, the PI-ResourceId (Manual das Interfaces 1.12).
"""

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from bacen.simulator.engine import Changes, Engine, ReceivedMessage, Rejection
from bacen.simulator.payments import Moment, Payment
from bacen.wire import (
    SPI_ISPB,
    InvalidMessage,
    MalformedXml,
    Message,
    Pacs002,
    Pacs008,
    SignatureInvalid,
    UnknownMessage,
    Verifier,
    WireError,
    decode,
    peek_message_id,
)

UNKNOWN_SCHEMA = "Schema desconhecido ou não habilitado para uso"
FAULT = "Erro interno"
TEXT_MAX = 350


class Archive(Protocol):
    """What the store knows of the past."""

    def received(self, message_id: str) -> ReceivedMessage | None: ...

    def payments(self, end_to_end_ids: list[str]) -> Mapping[str, Payment]: ...


class Intake:
    """Takes the messages of participants into the engine.

    Args:
        engine: Decides.
        archive: Committed messages and payments.
        verifier: Knows the certificates of the participants.
    """

    def __init__(self, engine: Engine, archive: Archive, verifier: Verifier) -> None:
        self._engine = engine
        self._archive = archive
        self._verifier = verifier
        self._recent: dict[str, ReceivedMessage] = {}  # taken, not stored yet
        self.kinds: Counter[str] = Counter()

    def take(
        self, ispb: str, resource_id: str, body: bytes, moment: Moment, changes: Changes
    ) -> None:
        """Take one message as it came, as one step; what a participant sent raises nothing.

        Raises:
            sqlite3.Error: The archive cannot be read.
            Exception: A fault of the bank's own code: the caller undoes the step.
        """
        try:
            message = decode(body, self._verifier)
        except WireError as error:
            self.kinds["invalid"] += 1
            changes.rejections.append(rejection_of(error, ispb, resource_id, body))
            return
        problem = header_problem(message, ispb)
        if problem is not None:
            self.kinds["invalid"] += 1
            changes.rejections.append(
                Rejection(
                    ispb=ispb,
                    reference=message.message_id,
                    reason="Cabecalho invalido",
                    location="/Envelope/AppHdr",
                    description=problem,
                )
            )
            return
        earlier = self._recent.get(message.message_id) or self._archive.received(message.message_id)
        if earlier is not None:
            known = self._archive.payments(earlier.end_to_end_ids)
            self._engine.repeat(earlier, ispb, known, changes)
            self.kinds["repeated"] += 1
        else:
            self._decide(message, moment, changes)

    def stored(self, changes: Changes) -> None:
        """Leave to the archive what it now has."""
        for message_id in changes.received:
            self._recent.pop(message_id, None)

    def _decide(self, message: Message, moment: Moment, changes: Changes) -> None:
        if isinstance(message, Pacs008):
            known = self._archive.payments([each.end_to_end_id for each in message.transfers])
            self._engine.pay(message, known, moment, changes)
            self.kinds["pacs.008"] += 1
        elif isinstance(message, Pacs002):
            self._engine.answer(message, moment, changes)
            self.kinds["pacs.002"] += 1
        self._recent[message.message_id] = changes.received[message.message_id]


def header_problem(message: Message, ispb: str) -> str | None:
    """Say in the bank's words what is wrong with a header, or None."""
    if not isinstance(message, Pacs008 | Pacs002):
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
