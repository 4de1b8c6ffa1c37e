"""The steps of DICT: D1 to D16."""

from typing import Final

import msgspec

from bacen.simulator.cockpit.sights import DICT, FINISHED, YES
from bacen.simulator.cockpit.steps import Act, Check, Step, check
from bacen.simulator.payments import REJECTED, SETTLED

LOOK_UPS = 1_000
OK = "OK"


def did(*operations: str, text: str = "", **where: str) -> Check:
    """Expect that one of these operations was carried out."""
    return check(text or " or ".join(operations), DICT, operation=operations, type=OK, **where)


def claimed(operation: str, kind: str) -> Check:
    return did(operation, text=f"{operation} of a claim of type {kind}", claim_type=kind)


def simple(number: int, title: str, english: str, do: str, *operations: str) -> Step:
    """Write a step in which the participant carries out operations and the bank answers."""
    checks = tuple(did(each) for each in operations)
    return Step(
        id=f"D{number}", title=title, english=english, do=do, bank="It answers.", checks=checks
    )


def received(text: str, status: str) -> Check:
    fields = {"what": "payment", "role": "receiver", "status": status, "ordered": YES}
    return check(text, FINISHED, **fields)


OWNERSHIP, PORTABILITY = "OWNERSHIP", "PORTABILITY"
REGISTER = "Register a phone key"

DICT_STEPS: Final = (
    simple(1, "Inclusão de chave", "Create a key", "Create a key.", "createEntry"),
    simple(2, "Consulta de chave", "Look up a key", "Look up a key of another.", "getEntry"),
    simple(3, "Alteração de chave", "Change a key", "Change a key of yours.", "updateEntry"),
    simple(4, "Exclusão de chave", "Delete a key", "Delete a key of yours.", "deleteEntry"),
    simple(5, "Verificação de chaves", "Check keys", "Check some keys.", "checkKeys"),
    Step(
        id="D6",
        title="Portabilidade, reivindicador",
        english="Claim a key: portability",
        do="Claim a key of a virtual participant for the same owner, then complete the claim.",
        bank="The virtual donor gives the key.",
        checks=(claimed("createClaim", PORTABILITY), claimed("completeClaim", PORTABILITY)),
    ),
    Step(
        id="D7",
        title="Portabilidade, doador",
        english="Give a key: portability",
        do=f"{REGISTER}, then acknowledge and confirm the claim that comes for it.",
        bank="99999A03 claims the key for its owner, and completes the claim.",
        acts=(Act("claim_portability", after=0), Act("complete_claim", after=2)),
        checks=(
            did("createEntry"),
            claimed("acknowledgeClaim", PORTABILITY),
            claimed("confirmClaim", PORTABILITY),
        ),
    ),
    Step(
        id="D8",
        title="Reivindicação de posse, reivindicador",
        english="Claim a key: ownership",
        do="Claim a phone key of a virtual participant for another owner; complete the claim.",
        bank="The virtual donor confirms.",
        acts=(Act("confirm_claim", after=0),),
        checks=(claimed("createClaim", OWNERSHIP), claimed("completeClaim", OWNERSHIP)),
    ),
    Step(
        id="D9",
        title="Reivindicação de posse, doador",
        english="Give a key: ownership",
        do=f"{REGISTER}, then acknowledge and confirm the claim that comes for it.",
        bank="99999A03 claims the key for another owner, and completes the claim.",
        acts=(Act("claim_ownership", after=0), Act("complete_claim", after=2)),
        checks=(
            did("createEntry"),
            claimed("acknowledgeClaim", OWNERSHIP),
            claimed("confirmClaim", OWNERSHIP),
        ),
    ),
    Step(
        id="D10",
        title="Notificação de infração, contestado",
        english="Judge an infraction report",
        do="Accept the payment of 99999A03; acknowledge and close the report that comes about it.",
        bank="99999A03 pays, then begins a recovery of its payment.",
        acts=(Act("pay_much"), Act("recover", after=0)),
        checks=(
            received("the payment settled", SETTLED),
            did("acknowledgeInfractionReport"),
            did("closeInfractionReport"),
        ),
        failures=(received("the payment was rejected", REJECTED),),
    ),
    simple(
        11,
        "Recuperação de valores",
        "Recover funds",
        "Begin a recovery of a payment to a virtual participant; look at its tracking graph.",
        *("createFundsRecovery", "getTrackingGraph"),
    ),
    simple(
        12,
        "Solicitação de devolução",
        "Ask for a refund",
        "Ask for the refunds of a recovery whose reports were judged; list them.",
        *("refundFundsRecovery", "listFundsRecoveryRefunds"),
    ),
    simple(
        13,
        "Marcação de fraude",
        "Mark a fraud",
        "Create a fraud marker, then cancel it.",
        *("createFraudMarker", "cancelFraudMarker"),
    ),
    simple(
        14,
        "Verificação de sincronismo (CID)",
        "Verify the keys",
        "Compare the verifier of a type of keys; ask for a file of CIDs until it is there.",
        *("createSyncVerification", "createCidSetFile", "getCidSetFile"),
    ),
    simple(
        15,
        "Notificações de eventos",
        "Read event notifications",
        "List the event notifications.",
        "listEventNotifications",
    ),
    Step(
        id="D16",
        title="Teste de capacidade do DICT",
        english="Look up a thousand keys",
        do=f"Look up {LOOK_UPS} keys.",
        bank="It answers.",
        checks=(msgspec.structs.replace(did("getEntry"), need=LOOK_UPS),),
    ),
)
