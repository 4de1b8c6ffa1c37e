"""The register of participants: indirect ones come, move and go; direct ones change their data.

| Message | Answer | Who else learns of it |
|---|---|---|
| reda.014 registers an indirect participant | reda.016 | camt.014 to every connected one |
| the same, of one that settles through another | reda.016 QUED | reda.017 to that other |
| reda.031 ends the relation | reda.016 | camt.014; reda.016 to the one that asked for it |
| reda.022 tells the sender's own data | reda.016 | |

Whoever settles for an indirect participant has 24 hours from the reda.017 to let it go by a
reda.031; then the request of the other lapses (EXP5). A virtual one lets it go at once. An indirect
participant has the first eight characters of its CNPJ as ISPB. What breaks a rule of the catalogue
is refused with its code; which code stands for the rest is this bank's choice: the catalogue lists
them without words. BCB message catalogue 5.13.
"""

from functools import partial
from typing import Final

import msgspec

from bacen.simulator.changes import Changes, Draft, Move, OwnData, Rejection
from bacen.simulator.engine import Engine
from bacen.simulator.participants import Participant
from bacen.simulator.payments import DAY_MS, Moment, from_ms
from bacen.validation import Finding, broken_rules
from bacen.wire import (
    Camt014,
    ParticipantChange,
    Reda014,
    Reda016,
    Reda017,
    Reda022,
    Reda031,
    Reda041,
)

INDIRECT: Final = "IDRT"
IS_DIRECT: Final = "IND2"
IS_YOURS: Final = "IND3"
IS_ANOTHERS: Final = "IND4"
IS_NOT_YOURS: Final = "IND5"
IS_ASKED_FOR: Final = "ITC6"
NOT_CONFIRMED: Final = "EXP5"
CONFIRMATION_MS: Final = DAY_MS
WHOLE_MESSAGE: Final = "admi.002"  # what the catalogue says of a rule without a code of reda.016

Request = Reda014 | Reda022 | Reda031


class PublicData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What everybody knows of a participant; None stays as it is."""

    name: str | None = None
    short_name: str | None = None
    role: str | None = None


# Of reda.041, by the field here.
CHANGED: Final = {"role": "MODP", "name": "NOME", "short_name": "NOMR"}


class Registrations:
    """Keeps who settles for whom, and what participants tell of themselves.

    Args:
        engine: Has the participants, and the requests that wait.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def answer(self, message: Request, moment: Moment, changes: Changes) -> None:
        """Take a request that was not seen before."""
        for finding in broken_rules(message):
            refuse_broken(message, finding, changes)
            return
        match message:
            case Reda014():
                self._register(message, moment, changes)
            case Reda031():
                self._remove(message, changes)
            case Reda022(sender=ispb, modifications=modifications):
                changes.own_data[ispb] = OwnData(ispb, moment.ms, modifications)
                changes.write(ispb, done(message.message_id, ispb))

    def lapse(self, move: Move, changes: Changes) -> None:
        """End a request that nobody confirmed in time: the participant stays where it is."""
        self._engine.end_move(move.indirect_ispb, changes)
        self._tell(move.direct_ispb, refused(move.message_id, NOT_CONFIRMED), changes)

    def change(self, ispb: str, public: PublicData, changes: Changes) -> None:
        """Change what everybody knows of a participant; the other connected ones are told.

        Args:
            ispb: A participant of the table.
            public: What is new; a name that stays as it is, is no change.
            changes: Is added to.
        """
        known = self._engine.participants[ispb]
        before = {"role": known.role, "name": known.full_name, "short_name": known.short_name}
        told, new = [], {}
        for field, code in CHANGED.items():
            value = getattr(public, field)
            if value is not None and value != before[field]:
                new[field] = value
                told.append(ParticipantChange(field=code, old=before[field], new=value))
        if not told:
            return
        # A full name that was only the short one stays when the short one changes.
        one = msgspec.structs.replace(known, **{"name": known.full_name, **new})
        self._engine.register(one, changes)
        notice = partial(Reda041, participant_ispb=ispb, changes=tuple(told))
        for other in self._engine.participants:
            if other != ispb:
                self._tell(other, notice, changes)

    def _register(self, message: Reda014, moment: Moment, changes: Changes) -> None:
        ispb, direct = message.indirect_cnpj[:8], message.sender
        known = self._engine.participants.get(ispb)
        if known is None or not known.settled_by:
            name = f"PARTICIPANTE {ispb}" if known is None else known.short_name
            one = Participant(ispb, name, INDIRECT, direct, message.indirect_cnpj)
            self._engine.register(one, changes)
            changes.write(direct, done(message.message_id, ispb, direct))
            self._tell_all(one, "ENBL", changes)
        elif known.kind != INDIRECT:
            refuse(message, IS_DIRECT, changes)
        elif known.settled_by == direct:
            refuse(message, IS_YOURS, changes)
        elif ispb in self._engine.moves:
            refuse(message, IS_ASKED_FOR, changes)
        else:
            self._ask(message, known, moment, changes)

    def _ask(self, message: Reda014, known: Participant, moment: Moment, changes: Changes) -> None:
        """Ask the one that settles for an indirect participant to let it go."""
        until_ms = moment.ms + CONFIRMATION_MS
        sender, message_id = message.sender, message.message_id
        move = Move(known.ispb, sender, message_id, message.indirect_cnpj, until_ms)
        if known.settled_by not in self._engine.connected:
            self._hand_over(move, changes)
            return
        self._engine.ask_to_move(move, changes)
        waits = partial(Reda016, original_message_id=message_id, status="QUED", reason=IS_ANOTHERS)
        changes.write(sender, waits)
        asks = partial(Reda017, indirect_ispb=known.ispb, confirm_until=from_ms(until_ms))
        changes.write(known.settled_by, asks)

    def _remove(self, message: Reda031, changes: Changes) -> None:
        known = self._engine.participants.get(message.indirect_ispb)
        move = self._engine.moves.get(message.indirect_ispb)
        if known is None or known.settled_by != message.sender or not (known.cnpj or move):
            refuse(message, IS_NOT_YOURS, changes)
            return
        changes.write(message.sender, done(message.message_id, known.ispb))
        if move is not None:
            self._hand_over(move, changes)
            return
        gone = msgspec.structs.replace(known, settled_by="")
        self._engine.register(gone, changes)
        self._tell_all(gone, "DLTD", changes)

    def _hand_over(self, move: Move, changes: Changes) -> None:
        ispb, direct = move.indirect_ispb, move.direct_ispb
        known = self._engine.participants[ispb]
        one = msgspec.structs.replace(known, settled_by=direct, cnpj=move.cnpj)
        self._engine.register(one, changes)
        self._engine.end_move(ispb, changes)
        self._tell(direct, done(move.message_id, ispb, direct), changes)
        self._tell_all(one, "ENBL", changes)

    def _tell_all(self, one: Participant, status: str, changes: Changes) -> None:
        notice = partial(
            Camt014,
            participant_ispb=one.ispb,
            short_name=one.short_name,
            cnpj=one.cnpj,
            type=INDIRECT,
            status=status,
            full_name=one.full_name,
            role=one.role,
        )
        for ispb in self._engine.participants:
            self._tell(ispb, notice, changes)

    def _tell(self, ispb: str, draft: Draft, changes: Changes) -> None:
        if ispb in self._engine.connected:
            changes.write(ispb, draft)


def done(message_id: str, ispb: str, direct: str | None = None) -> Draft:
    return partial(
        Reda016,
        original_message_id=message_id,
        status="COMP",
        participant_ispb=ispb,
        direct_ispb=direct,
    )


def refused(message_id: str, reason: str) -> Draft:
    return partial(Reda016, original_message_id=message_id, status="REJT", reason=reason)


def refuse(message: Request, reason: str, changes: Changes) -> None:
    changes.write(message.sender, refused(message.message_id, reason))


def refuse_broken(message: Request, finding: Finding, changes: Changes) -> None:
    """Refuse what breaks a rule of the catalogue, as that says."""
    rule = finding.rule
    if rule.code != WHOLE_MESSAGE:
        refuse(message, rule.code, changes)
        return
    place = f"/Envelope/Document/{finding.path}"
    rejection = Rejection(message.sender, message.message_id, "CH16", place, rule.text)
    changes.rejections.append(rejection)
