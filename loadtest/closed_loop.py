"""Closed-loop load: so many payers, each orders its next payment when the last was accepted.

A closed loop shows what a platform can do at a given concurrency, not how it behaves at a given
rate: a slow platform slows its own load. Latencies of a closed loop are diagnostic, no promise.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from loadtest.client import ConnectionCut, LoadConnection, post_request

NS = 1_000_000_000
PAYERS_MAX = 4_096
SECONDS_MAX = 3_600
RECONNECT_SECONDS = 0.2
PAYMENT_ID = b'"payment_id":"'


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLoop:
    """What to order and how hard.

    Attributes:
        url: Address of the platform, on this machine.
        token: Bearer token.
        debtors: Accounts that pay, as members ``debtor``; used in turn.
        creditor: Who is paid: ``{"pix_key": ...}`` or ``{"creditor_account": {...}}``.
        payers: Payments under way at once.
        seconds: How long new payments are ordered.
        run: Name of the run; part of every idempotency key.
    """

    url: str
    token: str
    debtors: Sequence[Mapping[str, Any]]
    creditor: Mapping[str, Any]
    payers: int
    seconds: float
    run: str

    def __post_init__(self) -> None:
        if not 0 < self.payers <= PAYERS_MAX or not 0 < self.seconds <= SECONDS_MAX:
            raise ValueError("payers or seconds out of range")


@dataclass(slots=True)
class LoadResult:
    """What came of a run.

    Attributes:
        elapsed_seconds: From the first order to the last answer.
        accepted: Ids of payments that were answered 201.
        refused: Answers other than 201, by status.
        unknown: Orders without an answer: cut connections.
        latencies_ns: Time to the answer of each accepted order.
    """

    elapsed_seconds: float = 0
    accepted: list[str] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)
    unknown: int = 0
    latencies_ns: list[int] = field(default_factory=list)

    def percentile_ms(self, share: float) -> float:
        """Latency that `share` (0 to 1) of the accepted orders did not exceed, in ms."""
        ordered = sorted(self.latencies_ns)
        if not ordered:
            return 0
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6


async def run_closed_loop(load: ClosedLoop) -> LoadResult:
    """Order payments until the time is over; answers that are due are waited for."""
    result = LoadResult()
    started_ns = time.perf_counter_ns()
    deadline_ns = started_ns + int(load.seconds * NS)
    payers = [_payer(load, number, deadline_ns, result) for number in range(load.payers)]
    await asyncio.gather(*payers)
    result.elapsed_seconds = (time.perf_counter_ns() - started_ns) / NS
    return result


async def _payer(load: ClosedLoop, number: int, deadline_ns: int, result: LoadResult) -> None:
    address = urlsplit(load.url)
    host, port = address.hostname or "127.0.0.1", address.port or 80
    template = _template(load, number)
    connection: LoadConnection | None = None
    turn = 0
    while (now_ns := time.perf_counter_ns()) < deadline_ns:
        turn += 1
        body = template % (turn % 90 + 10, turn)
        try:
            if connection is None:
                connection = await LoadConnection.open(host, port)
            request = post_request(host, "/api/v1/payments", load.token, body)
            status, answer = await connection.exchange(request)
        except (ConnectionCut, OSError):
            result.unknown += 1
            connection = None
            await asyncio.sleep(RECONNECT_SECONDS)  # noqa: TID251 # the generator is its own program
            continue
        if status == 201:
            result.latencies_ns.append(time.perf_counter_ns() - now_ns)
            result.accepted.append(_payment_id(answer))
        else:
            result.refused[status] = result.refused.get(status, 0) + 1
    if connection is not None:
        connection.close()


def _payment_id(answer: bytes) -> str:
    """The member ``payment_id`` of an answer, without decoding all of it."""
    start = answer.index(PAYMENT_ID) + len(PAYMENT_ID)
    return answer[start : answer.index(b'"', start)].decode()


def _template(load: ClosedLoop, number: int) -> bytes:
    """A body with two holes: centavos of the amount, and the turn in the idempotency key."""
    body = {
        "amount": "@AMOUNT@",
        "debtor": load.debtors[number % len(load.debtors)],
        "idempotency_key": f"{load.run}-{number}-@TURN@",
        **load.creditor,
    }
    text = json.dumps(body, ensure_ascii=False).replace("%", "%%")
    return text.replace("@AMOUNT@", "0.%d").replace("@TURN@", "%d").encode()
