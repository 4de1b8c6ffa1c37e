"""The script of the homologation as data: what is to be done, and by what the bank knows it.

The content of the steps is that of the test of direct participation (script 1.11) and of the list
of DICT; which letter stands for which of the steps 2a to 2k is this bank's own order.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from bacen.simulator.cockpit.dict_script import DICT_STEPS
from bacen.simulator.cockpit.sights import FILE, FINISHED, MOVED, RECEIVED, SENT, YES
from bacen.simulator.cockpit.steps import Act, Check, Level, Step, check
from bacen.simulator.payments import REJECTED, SETTLED
from bacen.simulator.receivers import RECEIVER_REASONS

PAYMENT_LIMIT_MS = 40_000  # Manual de Tempos 7.0, primary channel
RECEIVERS: Final = tuple(sorted(RECEIVER_REASONS))


def paid(text: str, **where: str | tuple[str, ...]) -> Check:
    """Expect a payment of the participant that settled."""
    return check(text, FINISHED, what="payment", role="payer", status=SETTLED, **where)


def ordered(text: str, what: str, role: str, status: str) -> Check:
    """Expect the end of what the bank itself began in this step."""
    return check(text, FINISHED, what=what, role=role, status=status, ordered=YES)


def refused(text: str, what: str) -> Check:
    """Expect that the participant refused in time, with a reason of a receiver."""
    seen = check(text, FINISHED, what=what, status=REJECTED, reason=RECEIVERS, ordered=YES)
    return msgspec.structs.replace(seen, at_most={"answered_in_ms": PAYMENT_LIMIT_MS})


def accepted_wrongly(what: str) -> Check:
    return ordered("it was accepted", what, "receiver", SETTLED)


def ran_out(what: str) -> Check:
    return check("it was rejected", FINISHED, what=what, status=REJECTED, ordered=YES)


SPI_STEPS: Final = (
    Step(
        id="1",
        title="Eco (pibr.001 e pibr.002)",
        english="Echo",
        do="Send a pibr.001 and read the pibr.002 that answers it.",
        bank="It answers.",
        checks=(
            check("pibr.001 came", RECEIVED, kind="pibr.001"),
            check("pibr.002 was sent", SENT, kind="pibr.002"),
        ),
    ),
    Step(
        id="2a",
        title="Envio de pacs.008, canal primário",
        english="Send a payment on the primary channel",
        do="Pay 99999A04, any account, on the primary channel.",
        bank="99999A04 accepts.",
        checks=(
            check("pacs.008 came", RECEIVED, kind="pacs.008", channel="primary"),
            paid("the payment settled", channel="primary"),
        ),
    ),
    Step(
        id="2b",
        title="Recebimento de pacs.008, canal primário",
        english="Receive a payment on the primary channel",
        do="Answer the payment of 99999A03 with ACSP.",
        bank="99999A03 pays the account of the run.",
        acts=(Act("pay"),),
        checks=(
            check("pacs.008 was sent", SENT, kind="pacs.008", channel="primary"),
            check("pacs.002 came", RECEIVED, kind="pacs.002"),
            ordered("the payment settled", "payment", "receiver", SETTLED),
        ),
        failures=(ran_out("payment"),),
    ),
    Step(
        id="2c",
        title="Envio de pacs.008, canal secundário",
        english="Send a payment on the secondary channel",
        do="Pay 99999A04 with PAGAGD on the secondary channel.",
        bank="99999A04 accepts.",
        checks=(
            check("pacs.008 came", RECEIVED, kind="pacs.008", channel="secondary"),
            paid("the payment settled", channel="secondary"),
        ),
    ),
    Step(
        id="2d",
        title="Recebimento de pacs.008, canal secundário",
        english="Receive a payment on the secondary channel",
        do="Answer the scheduled payment of 99999A03 with ACSP; it waits on the secondary channel.",
        bank="99999A03 pays the account of the run with PAGAGD.",
        acts=(Act("pay_scheduled"),),
        checks=(
            check("pacs.008 was sent", SENT, kind="pacs.008", channel="secondary"),
            ordered("the payment settled", "payment", "receiver", SETTLED),
        ),
        failures=(ran_out("payment"),),
    ),
    Step(
        id="2e",
        title="Rejeição de pacs.008 antes do tempo limite",
        english="Refuse a payment before the time limit",
        do="Answer the payment of 99999A03 to the wrong account with RJCT and a reason.",
        bank="99999A03 pays the wrong account of the run.",
        acts=(Act("pay_wrong_account"),),
        checks=(refused("refused with a reason, in time", "payment"),),
        failures=(accepted_wrongly("payment"), ran_out("payment")),
    ),
    Step(
        id="2f",
        title="Envio de pacs.004 (devolução)",
        english="Send a return",
        do="Receive the payment of 99999A03, then return it.",
        bank="99999A03 pays the account of the run, and accepts the return.",
        acts=(Act("pay"),),
        checks=(
            ordered("the payment settled", "payment", "receiver", SETTLED),
            check("pacs.004 came", RECEIVED, kind="pacs.004"),
            check("the return settled", FINISHED, what="return", role="payer", status=SETTLED),
        ),
        failures=(ran_out("payment"),),
    ),
    Step(
        id="2g",
        title="Recebimento de pacs.004 (devolução)",
        english="Receive a return",
        do="Pay 99999A04; answer its return with ACSP.",
        bank="99999A04 accepts, then returns the payment.",
        acts=(Act("give_back", after=0),),
        checks=(
            paid("the payment settled", other="99999A04"),
            check("pacs.004 was sent", SENT, kind="pacs.004"),
            ordered("the return settled", "return", "receiver", SETTLED),
        ),
        failures=(ran_out("return"),),
    ),
    Step(
        id="2h",
        title="Rejeição de pacs.004 antes do tempo limite",
        english="Refuse a return before the time limit",
        do="Pay 99999A04; answer its return, whose text (AddtlInf) begins with AC07, with RJCT.",
        bank="99999A04 accepts, then returns the payment.",
        acts=(Act("give_back_wrongly", after=0),),
        checks=(
            paid("the payment settled", other="99999A04"),
            refused("refused with a reason, in time", "return"),
        ),
        failures=(accepted_wrongly("return"), ran_out("return")),
    ),
    Step(
        id="2i",
        title="Consulta de saldo (camt.060 e camt.053)",
        english="Ask for the balance",
        do="Send a camt.060 that asks for a camt.053.",
        bank="It answers.",
        checks=(
            check("camt.060 came", RECEIVED, kind="camt.060"),
            check("camt.053 was sent", SENT, kind="camt.053"),
        ),
    ),
    Step(
        id="2j",
        title="Consulta de lançamento (camt.060 e camt.054)",
        english="Ask for one entry",
        do="Send a camt.060 that asks for the camt.054 of a payment that settled.",
        bank="It answers.",
        checks=(
            check("camt.060 came", RECEIVED, kind="camt.060"),
            check("camt.054 was sent", SENT, kind="camt.054"),
        ),
    ),
    Step(
        id="2k",
        title="Pagamento rejeitado pelo recebedor",
        english="Be told that a payment was refused",
        do="Pay a virtual participant (not 99999A04), an account that begins with AC03.",
        bank="It refuses with AC03.",
        checks=(
            check(
                "refused with AC03",
                FINISHED,
                what="payment",
                role="payer",
                status=REJECTED,
                reason="AC03",
            ),
            check("pacs.002 was sent", SENT, kind="pacs.002"),
        ),
    ),
    Step(
        id="3",
        title="Arquivo de lançamentos (camt.060 e camt.052)",
        english="Ask for a file of entries",
        do="Send a camt.060 that asks for a camt.052, then fetch the file that it names.",
        bank="It makes the file.",
        checks=(
            check("camt.060 came", RECEIVED, kind="camt.060"),
            check("camt.052 was sent", SENT, kind="camt.052"),
            check("the file was fetched", FILE),
        ),
    ),
    Step(
        id="4",
        title="Liquidez entre STR e conta PI",
        english="Move liquidity between STR and PI account",
        do="Move money from the STR to the PI account, and back.",
        bank="It moves it; orders of the STR are taken in its hours only.",
        checks=(
            check("money came from the STR", MOVED, direction="in"),
            check("money went to the STR", MOVED, direction="out"),
        ),
    ),
)

LEVELS: Final[Mapping[int, Level]] = {
    17: Level(17, "up to 1 million accounts"),
    33: Level(33, "up to 10 million accounts"),
    67: Level(67, "more than 10 million accounts"),
}

CAPACITY_STEPS: Final = tuple(
    Step(
        id=f"C{level.per_second}",
        title=f"Teste de capacidade, {level.per_second} pacs.008 por segundo",
        english=f"Capacity test, {level.does}",
        do=(
            f"Pay {level.per_second} times a second, answer what comes, read without a pause, "
            "and look up keys in DICT."
        ),
        bank=f"99999A03 pays the account of the run {level.per_second} times a second.",
        level=level.per_second,
    )
    for level in LEVELS.values()
)

STEPS: Final[Mapping[str, Step]] = {
    each.id: each for each in (*SPI_STEPS, *DICT_STEPS, *CAPACITY_STEPS)
}
FUNCTIONAL: Final = tuple(each.id for each in (*SPI_STEPS, *DICT_STEPS))
