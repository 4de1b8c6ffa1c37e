"""The platform trusts a new key of the bank without a restart, and keeps the old on doubt."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors import Node, VirtualClock
from bacen import SignatureInvalid
from bacen.wire import LocalAuthority, Verifier, decode, encode
from corrente.bank_link import RELOAD_MS, BankClients, embedded_link
from tests.bacen.wire_messages import OUR_ISPB, pacs002


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime.now(UTC))


@pytest.fixture
async def timed(clock: VirtualClock) -> AsyncIterator[Node]:
    node = Node("link", clock=clock)
    yield node
    await node.shutdown()


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> list[LocalAuthority]:
    """The bank before and after it changed its key."""
    now = datetime.now(UTC)
    return [LocalAuthority.create(tmp_path_factory.mktemp("pki"), now=now) for _ in range(2)]


def is_trusted(authority: LocalAuthority, verifier: Verifier) -> bool:
    try:
        decode(encode(pacs002(1), authority.spi_signing().signer()), verifier)
    except SignatureInvalid:
        return False
    return True


async def test_new_certificates_of_the_bank_are_trusted_within_a_minute(
    timed: Node, clock: VirtualClock, authorities: list[LocalAuthority], tmp_path: Path
) -> None:
    old, new = authorities
    old.participant(OUR_ISPB)
    home = old.directory.parent
    url = "https://localhost:1"
    (home / "ready.json").write_text(json.dumps({"url": url, "secondary_url": url}))
    bank = tmp_path / "bank.pem"
    bank.write_bytes(old.spi_signing().certificate.read_bytes())
    link = replace(embedded_link(home, OUR_ISPB), bank_certificates_file=bank)
    clients = BankClients(link, OUR_ISPB)
    await timed.start(clients, name="bacen", link=False)
    told = [[is_trusted(each, clients.verifier) for each in authorities]]

    bank.write_bytes(bank.read_bytes() + new.spi_signing().certificate.read_bytes())
    await clock.advance(RELOAD_MS)
    told.append([is_trusted(each, clients.verifier) for each in authorities])
    bank.write_bytes(b"half a file")
    await clock.advance(RELOAD_MS)
    told.append([is_trusted(each, clients.verifier) for each in authorities])
    bank.write_bytes(new.spi_signing().certificate.read_bytes())
    await clock.advance(RELOAD_MS)
    told.append([is_trusted(each, clients.verifier) for each in authorities])

    assert told == [[True, False], [True, True], [True, True], [False, True]]
