"""Both channels of a participant against a small server, in virtual time."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar

import pytest
from aiohttp import web

from actors import Node, VirtualClock
from bacen import CatalogueMismatch, IcomRefused, IcomUnknown
from bacen.icom import ChannelName, Icom, IcomAddress, Outcome, StreamReader
from tests.bacen.conftest import OUR_ISPB, Serve

NOON = datetime(2026, 3, 2, 15, tzinfo=UTC)  # in Brasília
SECONDS = 30  # a real bound on each wait, far above what any takes
STEP_MS = 10
MESSAGE_ID = f"M{OUR_ISPB}{'1'.rjust(23, '0')}"
PAYMENT = b"<CdtTrfTxInf></CdtTrfTxInf>"
T = TypeVar("T")
Answer = web.Response | Callable[[web.Request], Awaitable[web.Response] | web.Response]


def message(number: int = 1, payments: int = 1, service_level: str = "PAGPRI") -> bytes:
    """Something that looks like a pacs.008 where ICOM looks."""
    return (
        '<Envelope xmlns="https://www.bcb.gov.br/pi/pacs.008/1.16"><AppHdr><BizMsgIdr>'
        f"M{OUR_ISPB}{number:023d}</BizMsgIdr></AppHdr><Document><SvcLvl>"
        f"<Prtry>{service_level}</Prtry></SvcLvl>{PAYMENT.decode() * payments}"
        "</Document></Envelope>"
    ).encode()


def cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def stored(count: int = 1) -> web.Response:
    names = ",".join(f"R{number}" for number in range(count))
    return web.Response(status=201, headers={"PI-ResourceId": names})


def later(seconds: int) -> web.Response:
    return web.Response(status=429, headers={"Retry-After": str(seconds)})


def delivery(*resource_ids: str, following: str) -> web.Response:
    headers = {"PI-Pull-Next": following}
    if not resource_ids:
        return web.Response(status=204, headers=headers)
    return web.Response(body=b"<m/>", headers={**headers, "PI-ResourceId": resource_ids[0]})


@dataclass
class Seen:
    """A request as it came, and when by the virtual clock."""

    at_ms: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Bench:
    """One participant, its virtual time, and servers that answer from a list."""

    serve: Serve
    context: ssl.SSLContext
    clock: VirtualClock
    node: Node
    seen: list[Seen] = field(default_factory=list)
    opened: list[Icom] = field(default_factory=list)

    async def server(self, *answers: Answer) -> str:
        """Answer in this order, the last one for ever."""
        left = list(answers)

        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.seen.append(Seen(self.now_ms(), request.method, request.path, headers, body))
            answer = left.pop(0) if len(left) > 1 else left[0]
            if not callable(answer):
                return answer if left[0] is not answer else copy(answer)
            answered = answer(request)
            return answered if isinstance(answered, web.Response) else await answered

        return await self.serve(handle)

    def icom(self, url: str, secondary_url: str | None = None, per_second: int = 750) -> Icom:
        address = IcomAddress(
            ispb=OUR_ISPB,
            primary_url=url,
            secondary_url=secondary_url,
            primary_per_second=per_second,
        )
        made = Icom(self.node, address, self.context)
        self.opened.append(made)
        return made

    def now_ms(self) -> int:
        return self.clock.monotonic_ns() // 1_000_000

    async def until(self, doing: Awaitable[T]) -> T:
        """Let virtual time pass until this is done, but only while somebody waits for it.

        The network takes real time and no virtual time.
        """
        task = asyncio.ensure_future(doing)
        async with asyncio.timeout(SECONDS):
            while not task.done():
                await asyncio.wait([task], timeout=0.001)
                if self.clock._timers:
                    due_ms = self.clock._timers[0].due_ns // 1_000_000
                    await self.clock.advance(max(0, due_ms - self.now_ms()))
        return await task


def copy(answer: web.Response) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


@pytest.fixture
async def bench(serve: Serve, our_context: ssl.SSLContext) -> AsyncIterator[Bench]:
    clock = VirtualClock(NOON)
    bench = Bench(serve, our_context, clock, Node("test", clock=clock, seed=1))
    yield bench
    for each in bench.opened:
        await each.close()
    await bench.node.shutdown()


@pytest.mark.parametrize("failure", [web.Response(status=503), web.Response(status=502), cut])
async def test_same_bytes_go_again_after_5xx_and_cut_connections(
    bench: Bench, failure: Answer
) -> None:
    icom = bench.icom(await bench.server(failure, failure, stored()))

    assert await bench.until(icom.post([message()])) == ("R0",)

    assert [each.body for each in bench.seen] == [message()] * 3
    first, second, third = (each.at_ms for each in bench.seen)
    assert second - first >= 100
    assert third - second >= 200
    assert icom.sent.outcome(MESSAGE_ID) is Outcome.STORED


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 408, 411, 413, 415])
async def test_nothing_goes_again_after_4xx(bench: Bench, status: int) -> None:
    icom = bench.icom(await bench.server(web.Response(status=status)))

    with pytest.raises(IcomRefused) as refused:
        await bench.until(icom.post([message()]))

    assert refused.value.status == status
    assert len(bench.seen) == 1


async def test_refusal_after_a_cut_connection_does_not_say_that_nothing_was_stored(
    bench: Bench,
) -> None:
    icom = bench.icom(await bench.server(cut, web.Response(status=403)))

    with pytest.raises(IcomUnknown, match="403"):
        await bench.until(icom.post([message()]))


async def test_bank_that_stays_away_is_given_up_and_the_outcome_is_unknown(bench: Bench) -> None:
    icom = bench.icom(await bench.server(web.Response(status=503)))

    with pytest.raises(IcomUnknown):
        await bench.until(icom.post([message()]))

    assert bench.seen[-1].at_ms >= 30_000
    assert len(bench.seen) < 20
    assert {each.body for each in bench.seen} == {message()}


async def test_429_is_waited_for_as_long_as_it_says_by_all_who_send(bench: Bench) -> None:
    icom = bench.icom(await bench.server(later(7), stored()))

    async def other() -> tuple[str, ...]:
        while not bench.seen:
            await bench.clock.sleep_ms(STEP_MS)
        await bench.clock.sleep_ms(100)
        return await icom.post([message(2)])

    await bench.until(asyncio.gather(icom.post([message()]), other()))

    refused, *after = (each.at_ms for each in bench.seen)
    assert len(after) == 2
    assert min(after) - refused >= 7_000
    assert max(after) - refused < 9_000


async def test_after_a_429_our_bucket_is_as_empty_as_the_banks(bench: Bench) -> None:
    icom = bench.icom(await bench.server(later(1), stored()), per_second=10)

    await bench.until(icom.post([message(1, payments=10)]))
    await bench.until(icom.post([message(2, payments=10)]))
    await bench.until(icom.post([message(3)]))

    refused, first, second, third = (each.at_ms for each in bench.seen)
    assert first - refused >= 1_000
    assert second - first < 900  # a second's ten tokens paid for the first, a little for this
    assert third - second >= 800


async def test_429_without_end_is_told_as_such(bench: Bench) -> None:
    icom = bench.icom(await bench.server(later(20)))

    with pytest.raises(IcomRefused) as refused:
        await bench.until(icom.post([message()]))

    assert refused.value.status == 429
    assert len(bench.seen) == 3


async def test_our_own_bucket_slows_us_down_before_the_bank_has_to(bench: Bench) -> None:
    waited: list[int] = []
    bench.node.telemetry.attach(
        ("bacen", "icom", "throttled"), lambda _e, measured, _a: waited.append(measured["ms"])
    )
    icom = bench.icom(await bench.server(stored()), per_second=2)  # ten tokens, two a second

    await bench.until(icom.post([message(1, payments=10)]))
    await bench.until(icom.post([message(2, payments=3)]))
    await bench.until(icom.post([message(3)]))

    first, second, third = (each.at_ms for each in bench.seen)
    assert second - first < 200  # what had come meanwhile pays for anything
    assert third - second >= 1_300
    assert len(waited) in {1, 2}


async def test_scheduled_payments_go_over_the_secondary_channel_in_gzip(bench: Bench) -> None:
    primary, secondary = await bench.server(stored()), await bench.server(stored(2))
    icom = bench.icom(primary, secondary)
    scheduled = [message(number, service_level="PAGAGD") for number in (1, 2)]

    await bench.until(icom.post([message(3)]))
    await bench.until(icom.post(scheduled))

    immediate, compressed = bench.seen
    assert "content-encoding" not in immediate.headers
    assert compressed.headers["content-encoding"] == "gzip"
    assert compressed.headers["accept-encoding"] == "gzip"
    assert scheduled[0] in compressed.body


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([message(1), message(2, service_level="PAGAGD")], "one channel"),
        ([message(1, service_level="PAGAGD")], "no secondary channel"),
        ([], "one channel"),
        ([message(number) for number in range(11)], "1 to 10"),
    ],
)
async def test_post_that_fits_no_channel_is_our_own_mistake(
    bench: Bench, messages: Sequence[bytes], problem: str
) -> None:
    icom = bench.icom(await bench.server(stored()))

    with pytest.raises(ValueError, match=problem):
        await bench.until(icom.post(messages))

    assert bench.seen == []


def catalogue(*definitions: str) -> web.Response:
    listed = "".join(f"<Message>{each}</Message>" for each in definitions)
    return web.Response(body=gzip.compress(f"<Catalog>{listed}</Catalog>".encode()), headers=GZIP)


GZIP = {"Content-Encoding": "gzip", "Content-Type": "application/xml; charset=utf-8"}


async def test_catalogues_of_both_directions_are_compared(bench: Bench) -> None:
    icom = bench.icom(await bench.server(catalogue("a.spi.1"), catalogue("b.spi.2")))

    await bench.until(icom.check_catalogue(sends=["a.spi.1"], reads=["b.spi.2"]))

    assert [each.path for each in bench.seen] == ["/api/v1/in/catalog", "/api/v1/out/catalog"]


async def test_other_version_in_the_catalogue_is_a_clear_error(bench: Bench) -> None:
    icom = bench.icom(await bench.server(catalogue("a.spi.2"), catalogue("b.spi.2")))

    with pytest.raises(CatalogueMismatch, match="versions of a: here 1, at the bank 2"):
        await bench.until(icom.check_catalogue(sends=["a.spi.1"], reads=["b.spi.2"]))


async def reader_of(bench: Bench, *answers: Answer) -> StreamReader:
    return bench.icom(await bench.server(*answers)).stream()


def paths(bench: Bench) -> list[str]:
    return [each.path.removeprefix(f"/api/v1/out/{OUR_ISPB}/stream") for each in bench.seen]


async def test_delivery_is_confirmed_by_asking_for_more_and_not_before(bench: Bench) -> None:
    reader = await reader_of(
        bench,
        delivery("R1", following="/n/1"),
        delivery("R2", following="/n/2"),
        web.Response(status=200),
    )

    (first,) = await bench.until(reader.next())
    assert paths(bench) == ["/start"]
    await bench.clock.advance(60_000)  # a slow reader commits
    assert paths(bench) == ["/start"]
    (second,) = await bench.until(reader.next())
    await bench.until(reader.close())

    assert (first.resource_id, second.resource_id) == ("R1", "R2")
    assert paths(bench) == ["/start", "/n/1", "/n/2"]
    assert bench.seen[-1].method == "DELETE"


@pytest.mark.parametrize("failure", [web.Response(status=503), cut])
async def test_pull_whose_answer_was_lost_is_asked_again_by_the_same_path(
    bench: Bench, failure: Answer
) -> None:
    reader = await reader_of(
        bench,
        delivery("R1", following="/n/1"),
        failure,
        delivery("R2", following="/n/2"),
    )

    await bench.until(reader.next())
    messages = await bench.until(reader.next())
    while not messages:  # a cut connection may have been tried again further below
        messages = await bench.until(reader.next())

    assert messages[0].resource_id == "R2"
    assert paths(bench) == ["/start", "/n/1", "/n/1"]


async def test_stream_that_is_gone_is_opened_anew_without_a_pause(bench: Bench) -> None:
    reader = await reader_of(
        bench,
        delivery("R1", following="/n/1"),
        web.Response(status=410),
        delivery("R1", following="/n/2"),
    )

    await bench.until(reader.next())
    assert await bench.until(reader.next()) == ()
    (again,) = await bench.until(reader.next())

    assert again.resource_id == "R1"
    assert paths(bench) == ["/start", "/n/1", "/start"]


async def test_seventh_stream_waits_as_long_as_the_bank_says(bench: Bench) -> None:
    reader = await reader_of(bench, later(3), delivery(following="/n/1"))

    assert await bench.until(reader.next()) == ()
    await bench.until(reader.next())

    refused, started = bench.seen
    assert started.at_ms - refused.at_ms >= 3_000


async def test_bank_that_stays_away_is_asked_ever_more_seldom(bench: Bench) -> None:
    reader = await reader_of(bench, web.Response(status=503))

    for _ in range(10):
        assert await bench.until(reader.next()) == ()

    pauses = [after.at_ms - before.at_ms for before, after in pairwise(bench.seen)]
    assert pauses[0] < 1_000
    assert pauses[-1] >= 5_000
    assert max(pauses) < 6_000


async def test_channel_that_is_not_there_has_no_streams(bench: Bench) -> None:
    icom = bench.icom(await bench.server(stored()))

    assert icom.channels == (ChannelName.PRIMARY,)
    with pytest.raises(ValueError, match="no secondary"):
        icom.stream(ChannelName.SECONDARY)
