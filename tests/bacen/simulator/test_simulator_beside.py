"""A participant in the bank's own process does what one over ICOM does."""

import pytest

from bacen.simulator import ParticipantBeside, RunningBank
from bacen.simulator.errors import StreamGone
from bacen.wire import Pacs002, decode
from tests.bacen.simulator.desk import PAYER, Desk, outcome


async def test_participant_beside_pays_reads_and_confirms(bank: RunningBank, payer: Desk) -> None:
    beside = ParticipantBeside(bank.node, PAYER)
    transfer = payer.transfer()

    resource_ids = await beside.post((payer.encode(payer.pacs008(transfer)),))
    (body,) = await beside.read()
    message = decode(body, payer.spi)
    await beside.close()
    await beside.close()  # nothing is open any more

    assert len(resource_ids) == 1
    assert isinstance(message, Pacs002)
    assert [outcome(each) for each in message.reports] == [("ACSC",)]
    assert await beside.read() == ()
    await beside.close()


async def test_participant_beside_reads_on_after_its_stream_is_gone(
    bank: RunningBank, payer: Desk
) -> None:
    beside, other = ParticipantBeside(bank.node, PAYER), ParticipantBeside(bank.node, PAYER)
    await beside.post((payer.encode(payer.pacs008(payer.transfer())),))
    first = await beside.read()
    other._token = beside._token
    await other.close()

    with pytest.raises(StreamGone):
        await beside.read()
    with pytest.raises(StreamGone):
        await beside.close()
    assert len(first) == 1
    assert await beside.read() == ()
    await beside.close()
