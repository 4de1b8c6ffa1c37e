"""The tree of the bank and how it is started.

```
bank (rest for one)
├── core (one for all)        money and mail have to agree, so they start again together
│   ├── mailroom
│   └── settlement
├── participants' listener    ICOM and DICT, HTTPS with client certificates
└── admin listener            health, metrics, inspection; plain HTTP
```
"""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from actors import GenServer, Node, Pid
from bacen.simulator.directory import load_entries
from bacen.simulator.endpoint_admin import AdminEndpoint
from bacen.simulator.endpoint_dict import PREFIX as DICT_PREFIX
from bacen.simulator.endpoint_dict import DictEndpoint
from bacen.simulator.endpoint_icom import BODY_BYTES_MAX, IcomEndpoint
from bacen.simulator.endpoint_icom import PREFIX as ICOM_PREFIX
from bacen.simulator.listener import Address, Listener
from bacen.simulator.mailroom import Mailroom
from bacen.simulator.participants import load_participants, with_connected
from bacen.simulator.problem import problems
from bacen.simulator.requests import MAILROOM, SETTLEMENT
from bacen.simulator.settings import BankSettings
from bacen.simulator.settlement import Keys, Settlement
from bacen.wire import LocalAuthority, Verifier, server_context
from supervisors import ChildSpec, ChildType, Strategy, Supervisor, supervisor

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class CentralBank:
    """The SPI and DICT of the Banco Central in one supervision tree.

    It settles what its participants send over ICOM, answers DICT, and keeps everything under
    `settings.home`: `bank.sqlite3` and the certificates in `pki/`, where a connected participant
    finds its own under `pki/participants/<ispb>/`. Started again on the same home it knows all it
    ever acknowledged, also after `kill -9` (not after a power cut).

    Args:
        settings: How it runs.
    """

    def __init__(self, settings: BankSettings) -> None:
        self.settings = settings
        self._address = Address("https", settings.host, settings.port)
        self._admin = Address("http", settings.host, settings.admin_port)
        self._loaded_keys: Keys | None = None
        self._tls: ssl.SSLContext | None = None
        self._participants = with_connected(load_participants(), settings.connected)

    @property
    def url(self) -> str:
        """Base URL of ICOM and DICT; the port is known once the tree has started."""
        return self._address.url

    @property
    def admin_url(self) -> str:
        """Base URL of health, metrics and inspection."""
        return self._admin.url

    def children(self) -> list[ChildSpec]:
        """Give the children of the bank's supervisor, for `Strategy.REST_FOR_ONE`."""
        core = supervisor(
            "core",
            [
                self._child("mailroom", lambda _: Mailroom(self.settings), MAILROOM),
                self._child("settlement", self._settlement, SETTLEMENT),
            ],
            strategy=Strategy.ONE_FOR_ALL,
        )
        return [
            core,
            self._child("participants", self._participants_listener),
            self._child("admin", self._admin_listener),
        ]

    def child_spec(self) -> ChildSpec:
        """Give the bank as one child of a larger tree."""

        def start(node: Node) -> Awaitable[Pid]:
            return node.start(self.supervisor())

        return ChildSpec(id="bacen", start=start, type=ChildType.SUPERVISOR)

    def supervisor(self) -> Supervisor:
        """Make the bank's supervisor, to be started with `Node.start`."""
        return Supervisor(self.children(), strategy=Strategy.REST_FOR_ONE)

    def _child(
        self, name: str, make: Callable[[Node], GenServer], registered: str | None = None
    ) -> ChildSpec:
        def start(node: Node) -> Awaitable[Pid]:
            return node.start(make(node), name=registered)

        return ChildSpec(id=name, start=start)

    def _settlement(self, node: Node) -> Settlement:
        return Settlement(self.settings, self._participants, self._keys(node))

    def _keys(self, node: Node) -> Keys:
        """Make or load the keys once: checking an RSA key takes longer than starting the rest."""
        if self._loaded_keys is None:
            authority = LocalAuthority.create(self.settings.home, now=node.clock.now())
            certificates = [
                authority.participant(ispb).signing.certificate.read_bytes()
                for ispb in self.settings.connected
            ]
            hosts = tuple(dict.fromkeys((*LOOPBACK, self.settings.host)))
            self._tls = server_context(authority.certificate, authority.server(hosts))
            signer = authority.spi_signing().signer()
            self._loaded_keys = Keys(signer, Verifier(certificates))
        return self._loaded_keys

    def _participants_listener(self, node: Node) -> Listener:
        signer = self._keys(node).signer

        def build() -> web.Application:
            application = web.Application(middlewares=[problems], client_max_size=BODY_BYTES_MAX)
            icom = IcomEndpoint(node, self.settings)
            directory = DictEndpoint(node, self.settings, load_entries(), signer)
            application.add_subapp(ICOM_PREFIX, icom.application())
            application.add_subapp(DICT_PREFIX, directory.application())
            return application

        return Listener(build, self._address, self._tls)

    def _admin_listener(self, node: Node) -> Listener:
        return Listener(AdminEndpoint(node).application, self._admin)


@dataclass(frozen=True, slots=True)
class RunningBank:
    """A started bank.

    Attributes:
        node: Where it runs.
        pid: Its supervisor.
        url: ICOM and DICT (HTTPS, client certificate).
        admin_url: Health, metrics, inspection (HTTP).
        home: Its data; certificates are in `pki/`.
    """

    node: Node
    pid: Pid
    url: str
    admin_url: str
    home: Path

    async def stop(self) -> None:
        """Stop the tree in order; what was acknowledged is on disk when this returns."""
        await self.node.stop(self.pid)


async def start_bank(node: Node, settings: BankSettings) -> RunningBank:
    """Start a bank and wait until it answers.

    Args:
        node: Where its processes run.
        settings: How it runs; certificates missing under its home are made.

    Raises:
        StartFailed: A port is taken, the disk refuses, or a bank runs on this home.
    """
    bank = CentralBank(settings)
    pid = await node.start(bank.supervisor())
    return RunningBank(node, pid, bank.url, bank.admin_url, settings.home)
