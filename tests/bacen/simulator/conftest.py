"""A running central bank and its participants."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors import Node
from bacen.simulator import BankSettings, RunningBank, start_bank
from bacen.wire import LocalAuthority
from tests.bacen.simulator.desk import CONNECTED, PAYER, Desk, DeskKeys, Schemas, copy_certificates

BALANCE_CENTS = 1_000_000

StartBank = Callable[..., Awaitable[RunningBank]]
OpenDesk = Callable[..., Desk]


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of the session: making keys takes longer than most tests."""
    home = tmp_path_factory.mktemp("pki")
    authority = LocalAuthority.create(home, now=datetime.now(UTC))
    authority.server()
    authority.spi_signing()
    for ispb in (PAYER, CONNECTED):
        authority.participant(ispb)
    return home


@pytest.fixture(scope="session")
def desk_keys(pki: Path) -> dict[str, DeskKeys]:
    authority = LocalAuthority.create(pki, now=datetime.now(UTC))
    return {ispb: DeskKeys(authority, ispb) for ispb in (PAYER, CONNECTED)}


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Schemas:
    return Schemas(tmp_path_factory.mktemp("schemas"))


@pytest.fixture
def home(pki: Path, tmp_path: Path) -> Path:
    """A home with certificates and nothing else."""
    copy_certificates(pki, tmp_path / "bank")
    return tmp_path / "bank"


@pytest.fixture
async def start(node: Node, home: Path) -> AsyncIterator[StartBank]:
    """Start a bank on `home` with quick settings; all are stopped at the end."""
    running: list[RunningBank] = []

    async def started(**settings: object) -> RunningBank:
        quick: dict[str, object] = {
            "home": home,
            "connected": (PAYER, CONNECTED),
            "pi_balance_cents": BALANCE_CENTS,
            "long_poll_ms": 300,
        }
        bank = await start_bank(node, BankSettings(**{**quick, **settings}))
        running.append(bank)
        return bank

    yield started
    for bank in reversed(running):
        if node.is_alive(bank.pid):
            await bank.stop()


@pytest.fixture
async def bank(start: StartBank) -> RunningBank:
    return await start()


@pytest.fixture
async def desks(desk_keys: dict[str, DeskKeys], schemas: Schemas) -> AsyncIterator[OpenDesk]:
    """Open desks of participants; all are closed at the end."""
    opened: list[Desk] = []

    def desk(bank: RunningBank, ispb: str = PAYER) -> Desk:
        made = Desk(bank.url, desk_keys[ispb], schemas)
        opened.append(made)
        return made

    yield desk
    for each in opened:
        await each.close()


@pytest.fixture
async def payer(bank: RunningBank, desks: OpenDesk) -> Desk:
    return desks(bank, PAYER)


@pytest.fixture
async def receiver(bank: RunningBank, desks: OpenDesk) -> Desk:
    return desks(bank, CONNECTED)
