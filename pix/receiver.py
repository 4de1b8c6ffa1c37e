"""SPI receiver: one stream of the SPI, from long poll to committed outcome.

Each round: fetch up to 10 messages, verify and decode them, have the writer commit what they mean,
and only then ask for the next, which confirms these (BCB Manual das Interfaces 1.12). Whatever dies
in between, the SPI delivers again under the same PI-ResourceId, and the second copy is dropped.

A message that is not understood or not trusted is never guessed at: it is kept in quarantine with
its bytes, reported, and only then confirmed.
"""

from collections.abc import Sequence
from datetime import datetime

from actors import Continue, GenServer, NoReply, Target
from bacen.icom import Received as Fetched
from bacen.icom import StreamReader
from bacen.wire import Admi002, Message, Pacs002, Verifier, WireError, decode
from ledger import Entry, Refused, Stale
from pix.committing import commit
from pix.conclusion import conclusion
from pix.open_payments import OpenPayments
from pix.payments import (
    Outcome,
    PaymentStatus,
    outcome_of,
)
from pix.records import Concluded, Quarantined, Received
from pix.store import PaymentReader

NOT_EXECUTED = "message_rejected"  # reason of a payment whose message the SPI refused (admi.002)


class SpiReceiver(GenServer):
    """See the module. Lives and dies with the shard writer (rest_for_one)."""

    def __init__(
        self,
        tenant: str,
        opened: OpenPayments,
        writer: Target,
        verifier: Verifier,
        stream: StreamReader,
        reader: PaymentReader,
    ) -> None:
        self._tenant = tenant
        self._opened = opened
        self._writer = writer
        self._verifier = verifier
        self._stream = stream
        self._reader = reader
        self._is_loaded = False

    async def init(self) -> Continue:
        """Open the stream after the start: the bank may be away."""
        return Continue("pull")

    async def handle_continue(self, argument: object) -> NoReply:
        """One round: what the last one committed is confirmed by asking for more."""
        if not self._is_loaded:
            # Before the load an outcome would look like that of an unknown payment; an empty commit
            # is answered after it.
            await commit(self.node, self._writer)
            self._is_loaded = True
        messages = await self._stream.next()
        if messages:
            await self._take(messages)
        return NoReply(Continue(argument))

    async def _take(self, messages: Sequence[Fetched]) -> None:
        at = self.node.clock.now()
        asked: list[tuple[Fetched, Entry]] = []
        concluding: set[str] = set()
        for fetched in messages:
            if self._opened.was_received(fetched.resource_id):
                continue
            asked += [(fetched, one) for one in await self._entries(fetched, at, concluding)]
            asked.append((fetched, Entry(record=Received(fetched.resource_id, at))))
            await self.node.clock.sleep_ms(0)  # a message is 0.2 ms: let others in between
        if not asked:
            return
        answers = await commit(self.node, self._writer, *(entry for _, entry in asked))
        for (fetched, entry), answer in zip(asked, answers, strict=True):
            if isinstance(answer, (Refused, Stale)) and isinstance(entry.record, Concluded):
                # Another stream concluded it first: the same outcome, or one to look at.
                record = entry.record
                contradiction = await self._contradiction(
                    fetched, record.end_to_end_id, record.outcome, at
                )
                if contradiction is not None:
                    await commit(self.node, self._writer, contradiction)

    async def _entries(self, fetched: Fetched, at: datetime, concluding: set[str]) -> list[Entry]:
        try:
            message = decode(fetched.body, self._verifier)
        except WireError as error:
            return [self._quarantine(fetched, f"{type(error).__name__}: {error}", at)]
        outcomes = self._outcomes(message, at)
        if outcomes is None:
            return [self._quarantine(fetched, "not expected here", at)]
        entries = []
        for end_to_end_id, outcome in outcomes:
            if end_to_end_id in concluding:
                continue
            opened = self._opened.payments.get(end_to_end_id)
            if opened is not None:
                concluding.add(end_to_end_id)
                entries.append(
                    conclusion(opened.payment, outcome, at, is_submitted=opened.is_submitted)
                )
                opened.is_submitted = True
                continue
            contradiction = await self._contradiction(fetched, end_to_end_id, outcome, at)
            if contradiction is not None:
                entries.append(contradiction)
        return entries

    def _outcomes(self, message: Message, at: datetime) -> list[tuple[str, Outcome]] | None:
        """Outcomes by EndToEndId; None for a message that is not for a payer."""
        if isinstance(message, Pacs002):
            return [
                (report.end_to_end_id, outcome)
                for report in message.reports
                if (outcome := outcome_of(report, at)) is not None
            ]
        if isinstance(message, Admi002):
            return self._refused_message(message, at)
        return None

    def _refused_message(self, message: Admi002, at: datetime) -> list[tuple[str, Outcome]] | None:
        """The SPI refused a whole message of ours: none of its payments was or will be executed.

        Who sent another kind of message is told by the stream, and knows what to do.
        """
        is_known = self._stream.rejected(message)
        for opened in self._opened.messages.values():
            if message.related_reference in {opened.message_id, opened.resource_id}:
                failed = Outcome(PaymentStatus.FAILED, NOT_EXECUTED, at)
                return [(one, failed) for one in opened.end_to_end_ids]
        return [] if is_known else None

    async def _contradiction(
        self, fetched: Fetched, end_to_end_id: str, outcome: Outcome, at: datetime
    ) -> Entry | None:
        """An outcome for a payment that is not open must repeat what is known."""
        known = await self._reader.by_end_to_end_id(end_to_end_id)
        if known is None:
            return self._quarantine(fetched, "outcome of an unknown payment", at)
        if known.status is not outcome.status:
            return self._quarantine(fetched, f"{outcome.status} after {known.status}", at)
        return None

    def _quarantine(self, fetched: Fetched, problem: str, at: datetime) -> Entry:
        self._alarm(fetched, problem)
        return Entry(record=Quarantined(fetched.resource_id, fetched.body, problem, at))

    def _alarm(self, fetched: Fetched, problem: str) -> None:
        self.node.telemetry.execute(
            ("pix", "receiver", "alarm"),
            {"count": 1},
            {"tenant": self._tenant, "resource_id": fetched.resource_id, "problem": problem},
        )
