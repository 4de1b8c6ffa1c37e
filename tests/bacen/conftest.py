"""Certificates of one local authority for all tests of the wire: making keys takes long."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from bacen.wire import (
    LocalAuthority,
    Signer,
    Verifier,
    client_context,
    server_context,
)
from tests.bacen.dict_server import Desk, DictServer, running

OUR_ISPB = "12345678"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority.create(tmp_path_factory.mktemp("authority"), now=datetime.now(UTC))


@pytest.fixture(scope="session")
def spi_signer(authority: LocalAuthority) -> Signer:
    return authority.spi_signing().signer()


@pytest.fixture(scope="session")
def our_signer(authority: LocalAuthority) -> Signer:
    return authority.participant(OUR_ISPB).signing.signer()


@pytest.fixture(scope="session")
def verifier(authority: LocalAuthority) -> Verifier:
    """Trust the SPI and us."""
    pairs = (authority.spi_signing(), authority.participant(OUR_ISPB).signing)
    return Verifier(pair.certificate.read_bytes() for pair in pairs)


@pytest.fixture(scope="session")
def our_context(authority: LocalAuthority) -> ssl.SSLContext:
    return client_context(authority.certificate, authority.participant(OUR_ISPB).client)


@pytest.fixture(scope="session")
def dict_desk(
    authority: LocalAuthority,
    spi_signer: Signer,
    our_signer: Signer,
    our_context: ssl.SSLContext,
    verifier: Verifier,
) -> Desk:
    return Desk(OUR_ISPB, authority, spi_signer, our_signer, our_context, verifier)


@pytest.fixture
async def dict_server(dict_desk: Desk) -> AsyncIterator[DictServer]:
    """A DICT over TLS that the test tells what to answer."""
    async with running(dict_desk) as server:
        yield server


@pytest.fixture(scope="session")
def reference_folder() -> Path:
    """Find the official schemas and samples; they are not part of the repository."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "reference"
    if not (folder / "spi" / "xsd").is_dir():
        pytest.skip("the official schemas are not at ../shared/reference")
    return folder


@pytest.fixture
async def serve(authority: LocalAuthority) -> AsyncIterator[Serve]:
    """Answer every request by one handler, over TLS with client certificates."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        application = web.Application(client_max_size=32 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        context = server_context(authority.certificate, authority.server())
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        return f"https://localhost:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()
    await asyncio.sleep(0)
