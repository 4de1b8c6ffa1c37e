"""Client of DICT: every operation of the API through one `call` (DICT API 2.12.1)."""

import ssl
from dataclasses import dataclass, field, replace

import structlog

from actors import Clock
from bacen import (
    DictConflict,
    DictError,
    DictForbidden,
    DictNotFound,
    DictOutcomeUnknown,
    DictRateLimited,
    DictRefused,
    DictTooEarly,
    DictUnavailable,
    EntryNotFound,
    ExchangeFailed,
    InvalidMessage,
    WireError,
)
from bacen.dict.entries import Entry, GetEntryRequest
from bacen.dict.error_types import refusal
from bacen.dict.exchange import WireRequest, decode_response, encode_request
from bacen.dict.keys import parse_key
from bacen.dict.limits import LimitReached, RateLimits
from bacen.dict.operation import Operation, Q, R, Repeat
from bacen.dict.operations import GET_ENTRY
from bacen.dict.policies import Category, ListPoliciesRequest, Policy
from bacen.dict.problem import Problem, decode_problem
from bacen.dict.signing import Sign
from bacen.dict.typed_calls import TypedCalls
from bacen.icom import Answer, Channel
from bacen.wire import SPI_ISPB, Verifier

RATE_LIMITED = 429

_log = structlog.get_logger(__name__)
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DictOptions:
    """How a client asks.

    Attributes:
        sign: Signs the writes: `sign_with` or `sign_in_pool`; without it the client reads only.
        limits: Our count of the buckets; without it only DICT counts.
        non_priority_url: `https://host:port` of the check of keys; the main host by default.
        clock: Of the node.
        timeout_ms: Deadline of one exchange.
        deadline_ms: Deadline of a call: a wait for tokens and every repeat are within it.
        attempts_max: How often a write is sent whose outcome is unknown, where that is safe.
        pause_ms: Before the second attempt; doubled before each further one.
        token_wait_ms: How long a call waits for tokens before it is refused here.
    """

    sign: Sign | None = None
    limits: RateLimits | None = None
    non_priority_url: str | None = None
    clock: Clock = field(default_factory=Clock)
    timeout_ms: int = 5_000
    deadline_ms: int = 15_000
    attempts_max: int = 3
    pause_ms: int = 200
    token_wait_ms: int = 0


class DictClient(TypedCalls):
    """DICT of one participant; make it inside a running event loop.

    Every answer must be signed by DICT, problem documents too: an unsigned "not found" is no
    answer. An old signed answer about the same key cannot be told from a new one: TLS keeps
    it out.

    Args:
        base_url: `https://host:port`.
        ispb: The participant that asks; its certificate is in `ssl_context`.
        ssl_context: As `bacen.wire.client_context` makes it.
        verifier: Certificates of DICT.
        options: How it asks.
    """

    def __init__(
        self,
        base_url: str,
        ispb: str,
        ssl_context: ssl.SSLContext,
        verifier: Verifier,
        options: DictOptions | None = None,
    ) -> None:
        self._options = DictOptions() if options is None else options
        self._clock = self._options.clock
        self._channel = Channel(base_url, ssl_context, timeout_ms=self._options.timeout_ms)
        aside = self._options.non_priority_url or base_url
        self._aside = Channel(aside, ssl_context, timeout_ms=self._options.timeout_ms)
        self._ispb = ispb
        self._verifier = verifier

    @property
    def ispb(self) -> str:
        """The participant that asks."""
        return self._ispb

    async def call(
        self, operation: Operation[Q, R], request: Q, *, correlation: str | None = None
    ) -> R:
        """Carry out one operation.

        A write whose outcome is unknown is sent again, the same bytes, where that is safe
        (`Operation.repeat`) and while the deadline allows. A reading is sent once: it costs.

        Args:
            operation: Of the table in `operations`.
            request: Its struct.
            correlation: Our id of the request, for the log only: DICT takes no such header.

        Raises:
            DictRefused: DICT answered with a problem; its subclass says what to do next.
            DictRateLimited: The same, or our own count says that DICT would: `is_local`.
            DictUnavailable: No usable answer to a reading; asking again is safe.
            DictOutcomeUnknown: No usable answer to a write.
            InvalidMessage: The request cannot be written.
            SigningUnavailable: The key cannot be used now, or whatever else `DictOptions.sign`
                raises; nothing was sent.
            ValueError: A write without `DictOptions.sign`.
        """
        until_ms = self._now_ms() + self._options.deadline_ms
        wire = await self._written(operation, request)
        may_repeat = operation.repeat is Repeat.SAME
        attempts_left = self._options.attempts_max if may_repeat and operation.has_body else 1
        pause_ms = self._options.pause_ms
        unknown: DictUnavailable | None = None
        while True:
            attempts_left -= 1
            try:
                await self._take_tokens(operation, request, until_ms)
                return await self._attempt(operation, request, wire, until_ms)
            except DictUnavailable as error:
                if not operation.has_body:
                    raise
                unknown = error
            except DictRefused as error:
                # Not let in this time: that says nothing about the time before.
                if unknown is not None and isinstance(error, DictTooEarly | DictForbidden):
                    raise DictOutcomeUnknown(error.type, operation.name, may_repeat) from error
                _tell(operation.name, error, correlation)
                raise
            if attempts_left < 1 or self._now_ms() + pause_ms >= until_ms:
                raise DictOutcomeUnknown(unknown.cause, operation.name, may_repeat) from unknown
            await self._clock.sleep_ms(pause_ms)
            pause_ms *= 2

    async def get_entry(
        self, key: str, *, payer_tax_id: str, end_to_end_id: str, correlation: str | None = None
    ) -> Entry:
        """Ask which account a key leads to. Each question costs tokens, a wrong key most.

        Args:
            key: As the payer wrote it.
            payer_tax_id: CPF or CNPJ of the payer.
            end_to_end_id: Id that the payment will have.
            correlation: As in `call`.

        Raises:
            InvalidKey: No key; nothing was asked.
            EntryNotFound: DICT has no such key.
            DictRefused: As `call`.
            DictUnavailable: No usable answer; asking again is safe.
        """
        parsed = parse_key(key)
        request = GetEntryRequest(
            key=parsed.value,
            participant=self._ispb,
            payer_id=payer_tax_id,
            end_to_end_id=end_to_end_id,
        )
        try:
            answer = await self.call(GET_ENTRY, request, correlation=correlation)
        except DictNotFound as error:
            raise EntryNotFound(parsed.type) from error
        if answer.entry.key != parsed.value:
            raise DictUnavailable("the answer is about another key")
        return answer.entry

    def payment_sent(self, payer_tax_id: str, key: str) -> None:
        """Count that a payment went out to a key that was read: it gives tokens back."""
        if self._options.limits is not None:
            self._options.limits.payment_sent(payer_tax_id, key, self._now_ms())

    async def observe_policies(self) -> Category:
        """Ask DICT for all our buckets, take them over, and tell our category.

        Raises:
            DictError: As `call`.
        """
        told = await self.list_policies(ListPoliciesRequest(participant=self._ispb))
        for policy in told.policies:
            self.observe(policy)
        return told.category

    def observe(self, policy: Policy) -> None:
        """Take over what DICT tells about one bucket."""
        if self._options.limits is not None:
            self._options.limits.observe(policy, self._now_ms())

    async def close(self) -> None:
        """Close the connections; questions under way fail."""
        await self._channel.close()
        await self._aside.close()

    async def _written(self, operation: Operation[Q, R], request: Q) -> WireRequest:
        wire = encode_request(operation, request)
        if wire.body is None or not operation.is_signed:
            return wire
        if self._options.sign is None:
            raise ValueError("a write needs somebody who signs")
        return replace(wire, body=await self._options.sign(wire.body))

    async def _take_tokens(self, operation: Operation[Q, R], request: Q, until_ms: int) -> None:
        limits = self._options.limits
        if limits is None:
            return
        latest_ms = min(self._now_ms() + self._options.token_wait_ms, until_ms)
        while (reached := limits.take(operation, request, self._now_ms())) is not None:
            if self._now_ms() + reached.retry_after_ms > latest_ms:
                raise _rate_limited(reached, None)
            await self._clock.sleep_ms(reached.retry_after_ms)

    async def _attempt(
        self, operation: Operation[Q, R], request: Q, wire: WireRequest, until_ms: int
    ) -> R:
        channel = self._channel if operation.is_priority else self._aside
        left_ms = max(1, until_ms - self._now_ms())
        try:
            answer = await channel.send(
                wire.method,
                wire.target,
                wire.headers,
                body=wire.body,
                timeout_ms=min(self._options.timeout_ms, left_ms),
            )
        except ExchangeFailed as error:
            raise DictUnavailable(error.cause) from error
        limits = self._options.limits
        if limits is not None:
            limits.settle(operation, request, answer.status, self._now_ms())
        if not 200 <= answer.status < 300:  # a repeat may be answered 200 where the first is 201
            raise self._problem(answer, operation, request)
        try:
            return decode_response(operation, answer.body, self._verifier, ispb=SPI_ISPB)
        except InvalidMessage as error:  # signed by DICT, yet against the schema that we know
            raise DictUnavailable(f"{error.path} {error.problem}") from error
        except WireError as error:
            raise DictUnavailable(type(error).__name__) from error

    def _problem(self, answer: Answer, operation: Operation[Q, R], request: Q) -> DictError:
        if not 400 <= answer.status < 500:
            return DictUnavailable(f"HTTP {answer.status}")
        try:
            problem = decode_problem(answer.body, self._verifier, ispb=SPI_ISPB)
        except WireError as error:
            return DictUnavailable(f"HTTP {answer.status}, {type(error).__name__}")
        if problem.status != answer.status:
            return DictUnavailable("the problem is of another answer")
        if problem.status == RATE_LIMITED and self._options.limits is not None:
            limits = self._options.limits
            reached = limits.refused(operation, request, self._now_ms())
            if reached is not None:
                return _rate_limited(reached, problem)
        return refusal(problem)

    def _now_ms(self) -> int:
        return self._clock.monotonic_ns() // _NS_PER_MS


def _tell(operation: str, error: DictRefused, correlation: str | None) -> None:
    """Log what somebody has to look at; the rest are answers that the caller expects."""
    if isinstance(error, DictNotFound | DictConflict | DictTooEarly):
        return
    _log.warning(
        "dict_refused",
        operation=operation,
        type=error.type,
        status=error.status,
        correlation_id=correlation,
        dict_correlation_id=error.correlation_id,
    )


def _rate_limited(reached: LimitReached, told: Problem | None) -> DictRateLimited:
    """By the word of DICT, or by our own count alone."""
    return DictRateLimited(
        "RateLimited",
        RATE_LIMITED,
        None if told is None else told.correlation_id,
        policy=reached.policy,
        retry_after_ms=reached.retry_after_ms,
        is_local=told is None,
    )
