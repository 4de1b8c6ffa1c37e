"""From decisions to signed messages: what is ready for one participant goes 10 to a message.

There is no timer here: a group is what was decided while the last batch was being stored. One
signature a message is what the bank spends most time on.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from bacen.simulator.engine import Changes, Rejection
from bacen.wire import (
    SPI_ISPB,
    Admi002,
    Message,
    Pacs002,
    Pacs008,
    Signer,
    encode,
    message_id,
)

GROUP_MAX = 10  # catalogue 5.13: payments of a pacs.008 with PAGPRI; the same for reports
T = TypeVar("T")


class MessageIds:
    """BizMsgIdr of the SPI: the epoch of this start and a counter, so never used twice."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._last = 0

    def __call__(self) -> str:
        self._last += 1
        return message_id(SPI_ISPB, f"{self._epoch:08d}{self._last:015d}")


def messages(
    changes: Changes, new_message_id: Callable[[], str], now: datetime
) -> Iterator[Message]:
    """Put everything the bank has to tell into messages with the SPI's own header."""
    for (ispb, priority, service_level), transfers in changes.forwards.items():
        for group in groups(transfers):
            yield Pacs008(
                sender=SPI_ISPB,
                receiver=ispb,
                message_id=new_message_id(),
                created_at=now,
                transfers=group,
                priority=priority,
                service_level=service_level,
            )
    for ispb, reports in changes.reports.items():
        for reports_of_one in groups(reports):
            yield Pacs002(
                sender=SPI_ISPB,
                receiver=ispb,
                message_id=new_message_id(),
                created_at=now,
                reports=reports_of_one,
            )
    for rejection in changes.rejections:
        yield admi002(rejection, new_message_id(), now)


def admi002(rejection: Rejection, new_id: str, now: datetime) -> Admi002:
    return Admi002(
        sender=SPI_ISPB,
        receiver=rejection.ispb,
        message_id=new_id,
        created_at=now,
        related_reference=rejection.reference,
        rejecting_party_reason=rejection.reason,
        rejected_at=now,
        error_location=rejection.location,
        description=rejection.description,
        additional_data=rejection.additional_data,
    )


def signed(
    changes: Changes, signer: Signer, new_message_id: Callable[[], str], now: datetime
) -> dict[str, list[bytes]]:
    """Sign the messages of a batch, by receiver."""
    bodies: dict[str, list[bytes]] = {}
    for message in messages(changes, new_message_id, now):
        bodies.setdefault(message.receiver, []).append(encode(message, signer))
    return bodies


def groups(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(items), GROUP_MAX):
        yield tuple(items[start : start + GROUP_MAX])
