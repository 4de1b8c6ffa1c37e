"""From decisions to signed messages: what is ready for one participant goes 10 to a message.

There is no timer here: a group is what was decided while the last batch was being stored. One
signature a message is what the bank spends most time on.

What cannot be written does not stop the rest: it is tried alone, then left out with an alarm.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from bacen.simulator.changes import Changes, Draft, Rejection
from bacen.simulator.intake import FAULT
from bacen.simulator.watching import Watch
from bacen.wire import (
    SPI_ISPB,
    Admi002,
    CreditTransfer,
    Message,
    Pacs002,
    Pacs004,
    Pacs008,
    PaymentReturn,
    Signer,
    StatusReport,
    message_id,
)

GROUP_MAX = 10  # catalogue 5.13: payments of a pacs.008 with PAGPRI; the same for the others
Encode = Callable[[Message, Signer], bytes]
T = TypeVar("T")


class MessageIds:
    """BizMsgIdr of the SPI: the epoch of this start and a counter, so never used twice."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._last = 0

    def __call__(self) -> str:
        self._last += 1
        return message_id(SPI_ISPB, f"{self._epoch:08d}{self._last:015d}")


class FaultReport(Protocol):
    """Counts and logs a fault of the bank's own code."""

    def __call__(self, name: str, error: Exception, **named: str) -> None: ...


class Outgoing:
    """Writes and signs what the bank has to tell.

    Args:
        signer: The SPI's.
        new_message_id: Gives a BizMsgIdr that was never used.
        report_fault: Is told of what could not be written.
        encode: Writes a message and signs it.
        watch: Tells those who watch.
    """

    def __init__(
        self,
        signer: Signer,
        new_message_id: Callable[[], str],
        report_fault: FaultReport,
        encode: Encode,
        watch: Watch,
    ) -> None:
        self._signer = signer
        self._encode = encode
        self._new_message_id = new_message_id
        self._report_fault = report_fault
        self._watch = watch

    def signed(self, changes: Changes, now: datetime) -> dict[str, list[bytes]]:
        """Sign the messages of a batch, by receiver."""
        bodies: dict[str, list[bytes]] = {}
        for (ispb, priority, service_level), transfers in changes.forwards.items():
            forward = partial(self._pacs008, ispb, priority, service_level, now)
            self._write(bodies, ispb, forward, transfers)
        for ispb, returns in changes.returns.items():
            self._write(bodies, ispb, partial(self._pacs004, ispb, now), returns)
        for ispb, reports in changes.reports.items():
            self._write(bodies, ispb, partial(self._pacs002, ispb, now), reports)
        for ispb, draft in changes.drafts:
            self._write(bodies, ispb, partial(self._drafted, ispb, now), (draft,))
        for rejection in changes.rejections:
            self._reject(bodies, rejection, now)
        return {ispb: letters for ispb, letters in bodies.items() if letters}

    def _write(
        self,
        bodies: dict[str, list[bytes]],
        ispb: str,
        make: Callable[[tuple[T, ...]], Message],
        items: Sequence[T],
    ) -> None:
        """Write items for one participant, together where that succeeds."""
        letters = bodies.setdefault(ispb, [])
        for group in groups(items):
            try:
                message = make(group)
                letters.append(self._encode(message, self._signer))
            except Exception as error:  # noqa: BLE001 (our own, whatever it is: the others go on)
                if len(group) == 1:
                    self._report_fault("outgoing", error, ispb=ispb)
                    continue
                for each in group:
                    self._write(bodies, ispb, make, (each,))
            else:
                self._watch.signed(message)

    def _reject(self, bodies: dict[str, list[bytes]], rejection: Rejection, now: datetime) -> None:
        make = partial(self._admi002, rejection.ispb, now)
        before = len(bodies.get(rejection.ispb, ()))
        self._write(bodies, rejection.ispb, make, (rejection,))
        if len(bodies[rejection.ispb]) == before and rejection.reason != FAULT:
            # Its details may be what cannot be written; the sender learns at least that much.
            plain = Rejection(rejection.ispb, rejection.reference, FAULT)
            self._write(bodies, rejection.ispb, make, (plain,))

    def _pacs008(
        self,
        ispb: str,
        priority: str,
        service_level: str,
        now: datetime,
        transfers: tuple[CreditTransfer, ...],
    ) -> Pacs008:
        return Pacs008(
            sender=SPI_ISPB,
            receiver=ispb,
            message_id=self._new_message_id(),
            created_at=now,
            transfers=transfers,
            priority=priority,
            service_level=service_level,
        )

    def _pacs002(self, ispb: str, now: datetime, reports: tuple[StatusReport, ...]) -> Pacs002:
        return Pacs002(
            sender=SPI_ISPB,
            receiver=ispb,
            message_id=self._new_message_id(),
            created_at=now,
            reports=reports,
        )

    def _pacs004(self, ispb: str, now: datetime, returns: tuple[PaymentReturn, ...]) -> Pacs004:
        return Pacs004(
            sender=SPI_ISPB,
            receiver=ispb,
            message_id=self._new_message_id(),
            created_at=now,
            returns=returns,
        )

    def _drafted(self, ispb: str, now: datetime, drafts: tuple[Draft, ...]) -> Message:
        (draft,) = drafts
        return draft(
            sender=SPI_ISPB, receiver=ispb, message_id=self._new_message_id(), created_at=now
        )

    def _admi002(self, ispb: str, now: datetime, rejections: tuple[Rejection, ...]) -> Admi002:
        (rejection,) = rejections
        return Admi002(
            sender=SPI_ISPB,
            receiver=ispb,
            message_id=self._new_message_id(),
            created_at=now,
            related_reference=rejection.reference,
            rejecting_party_reason=rejection.reason,
            rejected_at=now,
            error_location=rejection.location,
            description=rejection.description,
            additional_data=rejection.additional_data,
        )


def groups(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(items), GROUP_MAX):
        yield tuple(items[start : start + GROUP_MAX])
