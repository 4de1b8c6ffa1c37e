import asyncio
import logging
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from corrente.log import LogFile, is_ours


def test_full_disk_loses_lines_and_fails_nobody() -> None:
    with Path("/dev/full").open("ab", buffering=0) as raw:
        stream = LogFile(raw, encoding="utf-8", write_through=True)
        log = structlog.wrap_logger(structlog.PrintLogger(stream))

        log.warning("nobody reads this")
        stream.close()


def test_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with (
        path.open("ab", buffering=0) as raw,
        LogFile(raw, encoding="utf-8", write_through=True) as stream,
    ):
        print("São Paulo", file=stream)

        assert path.read_text(encoding="utf-8") == "São Paulo\n"


async def test_bytes_that_are_no_http_leave_no_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: web.Request) -> web.Response:
        raise ValueError("ours")

    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(is_ours)
    application = web.Application()
    application.router.add_get("/", fail)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answers = [
        await exchange(runner.addresses[0][1], sent)
        for sent in (b"\xff\x00 garbage\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    ]
    await runner.cleanup()
    logger.removeFilter(is_ours)

    assert [each.split()[1] for each in answers] == [b"400", b"500"]
    assert [type(each.exc_info[1]) for each in caplog.records if each.exc_info] == [ValueError]


async def exchange(port: int, sent: bytes) -> bytes:
    """Send bytes and read what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await reader.readline()
    writer.close()
    return answer
