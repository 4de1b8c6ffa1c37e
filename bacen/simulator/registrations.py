"""Indirect participants come and go: reda.014 registers one, reda.031 ends it, reda.016 answers.

Every connected participant learns of it by a camt.014. An indirect participant has the first eight
characters of its CNPJ as ISPB. Which code stands for what is this bank's choice: the catalogue
lists them without words. BCB message catalogue 5.13.
"""

from functools import partial

from bacen.simulator.changes import Changes
from bacen.simulator.engine import Engine
from bacen.simulator.participants import Participant
from bacen.wire import Camt014, Reda014, Reda016, Reda031

INDIRECT = "IDRT"
NOT_THE_SENDER = "DIR1"
IS_DIRECT = "IND2"
IS_YOURS = "IND3"
IS_ANOTHERS = "IND4"
IS_NOT_YOURS = "IND5"


class Registrations:
    """Keeps who settles for whom.

    Args:
        engine: Has the participants.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def answer(self, message: Reda014 | Reda031, changes: Changes) -> None:
        """Take a request that was not seen before."""
        if isinstance(message, Reda014):
            self._register(message, changes)
        else:
            self._remove(message, changes)

    def _register(self, message: Reda014, changes: Changes) -> None:
        ispb, direct = message.indirect_cnpj[:8], message.sender
        known = self._engine.participants.get(ispb)
        if message.direct_ispb != direct:
            refuse(message, NOT_THE_SENDER, changes)
        elif known is None or not known.settled_by:
            name = f"PARTICIPANTE {ispb}" if known is None else known.short_name
            one = Participant(ispb, name, INDIRECT, direct, message.indirect_cnpj)
            self._engine.register(one, changes)
            changes.write(direct, done(message, one))
            self._tell_all(one, "ENBL", changes)
        elif known.kind != INDIRECT:
            refuse(message, IS_DIRECT, changes)
        else:
            refuse(message, IS_YOURS if known.settled_by == direct else IS_ANOTHERS, changes)

    def _remove(self, message: Reda031, changes: Changes) -> None:
        known = self._engine.participants.get(message.indirect_ispb)
        if known is None or not known.cnpj or known.settled_by != message.sender:
            refuse(message, IS_NOT_YOURS, changes)
            return
        gone = Participant(known.ispb, known.short_name, INDIRECT, "", known.cnpj)
        self._engine.register(gone, changes)
        changes.write(message.sender, done(message, known))
        self._tell_all(gone, "DLTD", changes)

    def _tell_all(self, one: Participant, status: str, changes: Changes) -> None:
        notice = partial(
            Camt014,
            participant_ispb=one.ispb,
            short_name=one.short_name,
            cnpj=one.cnpj,
            type=INDIRECT,
            status=status,
            full_name=one.short_name,
            role="PDCT",
        )
        for ispb in self._engine.participants:
            if ispb in self._engine.connected:
                changes.write(ispb, notice)


def done(message: Reda014 | Reda031, one: Participant) -> partial[Reda016]:
    return partial(
        Reda016,
        original_message_id=message.message_id,
        status="COMP",
        participant_ispb=one.ispb,
        direct_ispb=message.sender if isinstance(message, Reda014) else None,
    )


def refuse(message: Reda014 | Reda031, reason: str, changes: Changes) -> None:
    answer = partial(Reda016, original_message_id=message.message_id, status="REJT", reason=reason)
    changes.write(message.sender, answer)
