"""Faults of messages: what is written into them, which of them go, and when they are handed out.

`LetterFaults` stands where the settlement writes a batch, `Delivery` where it hands stored letters
to the mailroom. Neither sees the books.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from actors import Node, Pid
from bacen.icom import kind_of
from bacen.simulator.changes import Changes, Rejection
from bacen.simulator.faults.kinds import (
    ADMI002,
    BAD_SIGNATURE,
    CLOCK_SKEW,
    DUPLICATE,
    LATE,
    LOST,
    REORDER,
    WRONG_VERSION,
)
from bacen.simulator.faults.plan import FaultPlan
from bacen.simulator.outbox import Letter
from bacen.simulator.requests import MAILROOM, Post
from bacen.wire import Message, Pacs002, Signer, encode, sign_spi

REASON = "Erro interno"
NO_VERSION = b"9.99"
_SIGNATURE = b"SignatureValue>"
_SIGNED = re.compile(rb"<Sgntr>.*?</Sgntr>", re.DOTALL)
_VERSION = re.compile(rb"(/pi/[a-z]{4}\.[0-9]{3}/|<MsgDefIdr>[a-z]{4}\.[0-9]{3}\.spi\.)[0-9.]+")


class Signs(Protocol):
    """What writes and signs the messages of a batch."""

    def signed(self, changes: Changes, now: datetime) -> dict[str, list[bytes]]: ...


class LetterFaults:
    """Faults in what the messages of a batch say.

    Args:
        plan: The faults in force.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan

    def signed(self, outgoing: Signs, changes: Changes, now: datetime) -> dict[str, list[bytes]]:
        """Have a batch written, less what an admi.002 takes the place of and what gets lost."""
        plan = self._plan
        if plan.is_empty:
            return outgoing.signed(changes, now)
        bodies = outgoing.signed(self._with_admi002(changes), now)
        kept = {
            ispb: [each for each in some if not plan.strike(LOST, ispb, message=kind_of(each))]
            for ispb, some in bodies.items()
        }
        return {ispb: some for ispb, some in kept.items() if some}

    def encode(self, message: Message, signer: Signer) -> bytes:
        """Write and sign one message, as `bacen.wire.encode` does where no fault strikes."""
        plan = self._plan
        if plan.is_empty:
            return encode(message, signer)
        ispb, kind = message.receiver, type(message).__name__
        kind = f"{kind[:4].lower()}.{kind[4:]}"
        skew = plan.strike(CLOCK_SKEW, ispb, message=kind)
        if skew is not None:
            message = skewed(message, timedelta(milliseconds=skew.by_ms))
        body = encode(message, signer)
        if plan.strike(WRONG_VERSION, ispb, message=kind):
            body = sign_spi(of_no_version(body), signer)
        if plan.strike(BAD_SIGNATURE, ispb, message=kind):
            body = spoiled(body)
        return body

    def _with_admi002(self, changes: Changes) -> Changes:
        """Refuse whole messages of payers in what they are told; the payments stand."""
        if not self._plan.in_force(ADMI002):
            return changes
        told = Changes()
        told.add(changes)
        struck: dict[str, bool] = {}
        for ispb, reports in told.reports.items():
            kept = []
            for report in reports:
                payment = changes.payments.get(report.original_instruction_id)
                if payment is None or payment.payer != ispb:
                    kept.append(report)
                    continue
                message_id = payment.message_id
                if message_id not in struck:
                    struck[message_id] = self._plan.strike(ADMI002, ispb) is not None
                    if struck[message_id]:
                        told.rejections.append(Rejection(ispb, message_id, REASON))
                if not struck[message_id]:
                    kept.append(report)
            told.reports[ispb] = kept
        return told


@dataclass(frozen=True, slots=True)
class Late:
    """To the settlement itself: letters whose time has come."""

    ispb: str
    letters: tuple[Letter, ...]
    is_held: bool = False  # they may have been let go of since


class Delivery:
    """Hands stored letters to the mailroom: at once, later, twice, or after the next one.

    What waits here is stored: it belongs to one start of the settlement, and the next one reads
    all from the disk and hands it out at once.

    Args:
        node: Where the mailroom runs.
        owner: The settlement; gets `Late` and gives it to `release`.
        plan: The faults in force.
    """

    def __init__(self, node: Node, owner: Pid, plan: FaultPlan) -> None:
        self._node = node
        self._owner = owner
        self._plan = plan
        self._held: dict[str, list[Letter]] = {}

    def post(self, ispb: str, letters: tuple[Letter, ...]) -> int:
        """Hand out letters in order; gives how many the mailroom will have been given."""
        if self._plan.is_empty and not self._held:
            self._node.cast(MAILROOM, Post(ispb, letters))
            return len(letters)
        count = 0
        ready: list[Letter] = []
        for letter in letters:
            kind = kind_of(letter.body)
            is_double = self._plan.strike(DUPLICATE, ispb, message=kind) is not None
            copies = (letter, letter) if is_double else (letter,)
            count += len(copies)
            if not self._waits(ispb, copies, kind):
                ready += [*copies, *self._held.pop(ispb, ())]
        if ready:
            self._node.cast(MAILROOM, Post(ispb, tuple(ready)))
        return count

    def post_again(self, ispb: str, letters: tuple[Letter, ...]) -> int:
        """Hand out what an earlier start has stored: at once, whatever it waited for."""
        self._node.cast(MAILROOM, Post(ispb, letters))
        return len(letters)

    def release(self, late: Late) -> None:
        """Hand out what has waited long enough."""
        letters = late.letters
        if late.is_held:
            held = self._held.get(late.ispb, [])
            letters = tuple(each for each in letters if each in held)
            left = [each for each in held if each not in letters]
            if left:
                self._held[late.ispb] = left
            else:
                self._held.pop(late.ispb, None)
        if letters:
            self._node.cast(MAILROOM, Post(late.ispb, letters))

    def _waits(self, ispb: str, letters: tuple[Letter, ...], kind: str) -> bool:
        late = self._plan.strike(LATE, ispb, message=kind)
        if late is not None:
            self._node.send_after(late.by_ms, self._owner, Late(ispb, letters))
            return True
        reorder = self._plan.strike(REORDER, ispb, message=kind)
        if reorder is not None:
            self._held.setdefault(ispb, []).extend(letters)
            self._node.send_after(reorder.by_ms, self._owner, Late(ispb, letters, is_held=True))
            return True
        return False


T = TypeVar("T", bound=msgspec.Struct)


def moved(struct: T, by: timedelta) -> T:
    """Move every time that a part of a message itself holds."""
    times = {
        name: value + by
        for name in struct.__struct_fields__
        if isinstance(value := getattr(struct, name), datetime)
    }
    return msgspec.structs.replace(struct, **times)


def skewed(message: Message, by: timedelta) -> Message:
    """Say a message as a bank whose clock is off would."""
    if isinstance(message, Pacs002):
        reports = tuple(moved(each, by) for each in message.reports)
        message = msgspec.structs.replace(message, reports=reports)
    return moved(message, by)


def of_no_version(body: bytes) -> bytes:
    """Name a version that does not exist, in the namespace and in the header; unsigned."""
    unsigned = _SIGNED.sub(b"<Sgntr></Sgntr>", body, count=1)
    return _VERSION.sub(rb"\g<1>" + NO_VERSION, unsigned, count=2)


def spoiled(body: bytes) -> bytes:
    """Change one letter of the signature; the message is still well formed."""
    start = body.index(_SIGNATURE) + len(_SIGNATURE)
    other = b"B" if body[start : start + 1] == b"A" else b"A"
    return body[:start] + other + body[start + 1 :]
