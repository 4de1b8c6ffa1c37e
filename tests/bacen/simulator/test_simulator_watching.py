"""Those who watch the bank see what it does, and cannot hurt it."""

from collections.abc import Mapping
from typing import Any

from actors import Event
from bacen.simulator import RunningBank
from bacen.simulator.watching import (
    LETTERS_CONFIRMED,
    MESSAGE_RECEIVED,
    MESSAGE_SIGNED,
    PAYMENT_FINISHED,
)
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL, Desk, outcome, settle

EVENTS = (MESSAGE_RECEIVED, MESSAGE_SIGNED, PAYMENT_FINISHED, LETTERS_CONFIRMED)


class Watcher:
    """Writes down all that the bank tells."""

    def __init__(self, bank: RunningBank) -> None:
        self.seen: dict[Event, list[dict[str, Any]]] = {event: [] for event in EVENTS}
        for event in EVENTS:
            bank.node.telemetry.attach(event, self._note)

    def _note(self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        self.seen[event].append({**measured, **told})


async def test_payment_and_its_return_are_seen_from_receipt_to_confirmation(
    bank: RunningBank, payer: Desk, receiver: Desk
) -> None:
    watcher = Watcher(bank)
    original = await settle(payer, receiver)
    one = receiver.return_of(original)
    await receiver.client.post([receiver.encode(receiver.pacs004(one))])
    await payer.read()
    await payer.answer_return(one, "RJCT", "AC07")
    await payer.read_reports()
    await payer.client.post([b"<not xml"])
    await payer.read()
    await payer.is_quiet()

    received = [(each["ispb"], each["kind"]) for each in watcher.seen[MESSAGE_RECEIVED]]
    assert received == [
        (PAYER, "pacs.008"),
        (CONNECTED, "pacs.002"),
        (CONNECTED, "pacs.004"),
        (PAYER, "pacs.002"),
        (PAYER, "invalid"),
    ]
    assert {each["channel"] for each in watcher.seen[MESSAGE_RECEIVED]} == {"primary"}
    signed = [(each["ispb"], each["kind"], each["ids"]) for each in watcher.seen[MESSAGE_SIGNED]]
    assert signed[0] == (CONNECTED, "pacs.008", (original.end_to_end_id,))
    assert (PAYER, "pacs.004", (one.return_id,)) in signed
    assert signed[-1] == (PAYER, "admi.002", ())
    paid, returned = watcher.seen[PAYMENT_FINISHED]
    assert (paid["instruction_id"], paid["status"]) == (original.end_to_end_id, "SETTLED")
    assert (returned["instruction_id"], returned["reason"]) == (one.return_id, "AC07")
    for each in (paid, returned):
        times = [each[name] for name in ("received_ms", "offered_ms", "answered_ms", "finished_ms")]
        assert times[0] > 0
        assert times == sorted(times)
    confirmed = sum(
        each["count"] for each in watcher.seen[LETTERS_CONFIRMED] if each["ispb"] == PAYER
    )
    assert confirmed == 4


async def test_payment_that_nobody_was_asked_for_has_no_time_of_an_answer(
    bank: RunningBank, payer: Desk
) -> None:
    watcher = Watcher(bank)

    await payer.pay(payer.transfer())
    await payer.read_reports()

    (paid,) = watcher.seen[PAYMENT_FINISHED]
    assert (paid["payer"], paid["receiver"], paid["amount_cents"]) == (PAYER, VIRTUAL, 1_050)
    assert (paid["offered_ms"], paid["answered_ms"]) == (0, 0)


async def test_watcher_that_fails_is_let_go_and_the_payment_settles(
    bank: RunningBank, payer: Desk
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    for event in EVENTS:
        bank.node.telemetry.attach(event, broken)

    await payer.pay(payer.transfer())

    assert outcome((await payer.read_reports())[0]) == ("ACSC",)
    assert not bank.node.telemetry.listens(MESSAGE_RECEIVED, MESSAGE_SIGNED, PAYMENT_FINISHED)
