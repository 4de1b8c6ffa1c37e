"""Client of DICT, as far as a payer needs it: getEntry (DICT API 2.12.1)."""

import ssl
from urllib.parse import quote

import structlog

from bacen import (
    DictError,
    DictRefused,
    DictUnavailable,
    EntryNotFound,
    ExchangeFailed,
    WireError,
)
from bacen.dict.entry import Entry, decode_entry_response
from bacen.dict.keys import PixKey, parse_key
from bacen.dict.problem import decode_problem
from bacen.icom import Answer, Channel
from bacen.wire import SPI_ISPB, Verifier

_log = structlog.get_logger(__name__)


class DictClient:
    """DICT of one participant; make it inside a running event loop.

    Every answer must be signed by DICT, problem documents too: an unsigned "not found" is no
    answer. An old signed answer about the same key cannot be told from a new one: TLS keeps
    it out.

    Args:
        base_url: `https://host:port`.
        ispb: The participant that asks; its certificate is in `ssl_context`.
        ssl_context: As `bacen.wire.client_context` makes it.
        verifier: Certificates of DICT.
        timeout_ms: Deadline of one question.
    """

    def __init__(
        self,
        base_url: str,
        ispb: str,
        ssl_context: ssl.SSLContext,
        verifier: Verifier,
        *,
        timeout_ms: int = 5_000,
    ) -> None:
        self._channel = Channel(base_url, ssl_context, timeout_ms=timeout_ms)
        self._ispb = ispb
        self._verifier = verifier

    async def get_entry(
        self, key: str, *, payer_tax_id: str, end_to_end_id: str, correlation: str | None = None
    ) -> Entry:
        """Ask which account a key leads to. Each question costs tokens, a wrong key most.

        Args:
            key: As the payer wrote it.
            payer_tax_id: CPF or CNPJ of the payer.
            end_to_end_id: Id that the payment will have.
            correlation: Our id of the request, for the log only: DICT takes no such header.

        Raises:
            InvalidKey: No key; nothing was asked.
            EntryNotFound: DICT has no such key.
            DictRefused: DICT answered with another problem.
            DictUnavailable: No usable answer; asking again is safe.
        """
        parsed = parse_key(key)
        headers = {
            "Accept": "application/xml, application/problem+xml",
            "PI-RequestingParticipant": self._ispb,
            "PI-PayerId": payer_tax_id,
            "PI-EndToEndId": end_to_end_id,
        }
        path = f"/api/v2/entries/{quote(parsed.value, safe='')}"
        try:
            answer = await self._channel.send("GET", path, headers)
        except ExchangeFailed as error:
            raise DictUnavailable(error.cause) from error
        if answer.status != 200:
            raise self._problem(answer, parsed, correlation)
        return self._entry(answer, parsed)

    async def close(self) -> None:
        """Close the connections; questions under way fail."""
        await self._channel.close()

    def _entry(self, answer: Answer, asked: PixKey) -> Entry:
        try:
            entry = decode_entry_response(answer.body, self._verifier, ispb=SPI_ISPB)
        except WireError as error:
            raise DictUnavailable(type(error).__name__) from error
        if entry.key != asked.value:
            raise DictUnavailable("the answer is about another key")
        return entry

    def _problem(self, answer: Answer, asked: PixKey, correlation: str | None) -> DictError:
        if not 400 <= answer.status < 500:
            return DictUnavailable(f"HTTP {answer.status}")
        try:
            problem = decode_problem(answer.body, self._verifier, ispb=SPI_ISPB)
        except WireError as error:
            return DictUnavailable(f"HTTP {answer.status}, {type(error).__name__}")
        if problem.status != answer.status:
            return DictUnavailable("the problem is of another answer")
        if problem.type == "NotFound":
            return EntryNotFound(asked.type)
        _log.warning(
            "dict_refused",
            type=problem.type,
            status=problem.status,
            correlation_id=correlation,
            dict_correlation_id=problem.correlation_id,
        )
        return DictRefused(problem.type, problem.status)
