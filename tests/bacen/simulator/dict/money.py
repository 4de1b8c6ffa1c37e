"""Payments that really run in the SPI of the test's bank."""

from dataclasses import dataclass
from typing import Any

from bacen.wire import AccountId, CreditTransfer, Pacs002, Pacs004, Pacs008, PaymentReturn
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL, Desk
from tests.bacen.simulator.dict.member import ANA, BRUNO, new_end_to_end_id

MULE = "11144477735"


@dataclass(frozen=True)
class Money:
    """The desks of two participants that pay each other."""

    first: Desk
    second: Desk

    async def pay(self, desk: Desk, **changed: Any) -> CreditTransfer:
        """Pay from one of the desks and wait until it settled."""
        transfer = desk.transfer(**changed)
        await desk.pay(transfer)
        if transfer.creditor_ispb in (PAYER, CONNECTED):
            receiver = self.second if transfer.creditor_ispb == CONNECTED else self.first
            await self._until(receiver, Pacs008)
            await receiver.answer(transfer, "ACSP")
            await self._until(receiver, Pacs002)
        await self._until(desk, Pacs002)
        return transfer

    async def defraud(self, cents: int = 50_000, **changed: Any) -> CreditTransfer:
        """Pay from Ana at the first participant to Bruno at the second."""
        return await self.pay(
            self.first,
            amount_cents=cents,
            debtor_tax_id=ANA,
            debtor_account=AccountId("1000"),
            creditor_ispb=CONNECTED,
            creditor_tax_id=BRUNO,
            creditor_account=AccountId("2000"),
            **changed,
        )

    async def pass_on(self, cents: int = 30_000, **changed: Any) -> CreditTransfer:
        """Pay from Bruno at the second participant, by default to a virtual one."""
        return await self.pay(
            self.second,
            **{
                "amount_cents": cents,
                "debtor_tax_id": BRUNO,
                "debtor_account": AccountId("2000"),
                "creditor_ispb": VIRTUAL,
                "creditor_tax_id": MULE,
                "creditor_account": AccountId("3000"),
                **changed,
            },
        )

    async def give_back(self, payment: CreditTransfer, cents: int) -> str:
        """Return a part of what the first paid to the second; gives the RtrId."""
        one = PaymentReturn(
            return_id=new_return_id(self.second.ispb),
            end_to_end_id=payment.end_to_end_id,
            amount_cents=cents,
            reason="FR01",
            debtor_ispb=payment.debtor_ispb,
            creditor_ispb=payment.creditor_ispb,
        )
        await self.second.client.post([self.second.encode(self.second.pacs004(one))])
        await self._until(self.first, Pacs004)
        await self.first.answer_return(one, "ACSP")
        await self._until(self.second, Pacs002)
        return one.return_id

    async def receive_return(self, status: str = "ACSP", *reasons: str) -> PaymentReturn:
        """Answer the return of a virtual participant to the first one."""
        (message,) = await self.first.read()
        assert isinstance(message, Pacs004)
        (one,) = message.returns
        await self.first.answer_return(one, status, *reasons)
        await self._until(self.first, Pacs002)
        return one

    async def _until(self, desk: Desk, kind: type) -> None:
        while not any(isinstance(message, kind) for message in await desk.read()):
            pass


def new_return_id(ispb: str) -> str:
    """Make an RtrId: an EndToEndId with another first letter."""
    return f"D{new_end_to_end_id(ispb)[1:]}"
