"""The tree of the bank and how it is started.

```
bank (rest for one)
├── core (one for all)        money and mail have to agree, so they start again together
│   ├── mailroom
│   └── settlement
├── directory                 DICT: keys, claims, reports, refunds
├── str                       deposits into PI accounts, and withdrawals
├── counterparties            simulated participants, each one a process
├── office                    starts and stops them
├── participants' listener    ICOM and DICT, HTTPS with client certificates
├── secondary listener        ICOM's secondary channel, the same way
├── admin listener            health, metrics, inspection, controls; plain HTTP
└── cockpit                   leads participants through the homologation
```
"""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from actors import GenServer, Node, Pid
from bacen.icom import ChannelName
from bacen.simulator.admin_routes import LOOPBACK, admin_application
from bacen.simulator.cockpit import COCKPIT, Cockpit, CockpitEndpoint
from bacen.simulator.counterparties import (
    COUNTERPARTIES,
    OFFICE,
    CounterpartyOffice,
    Roster,
    check_place,
)
from bacen.simulator.dict import (
    DIRECTORY,
    DictControl,
    DictEndpoint,
    Directory,
    load_entries,
)
from bacen.simulator.endpoint_admin import AdminEndpoint
from bacen.simulator.endpoint_control import ClockControl, CounterpartyControl, FaultControl
from bacen.simulator.endpoint_icom import BODY_BYTES_MAX, IcomEndpoint
from bacen.simulator.endpoint_icom import PREFIX as ICOM_PREFIX
from bacen.simulator.endpoint_orders import OrdersEndpoint
from bacen.simulator.endpoint_participants import ParticipantsEndpoint
from bacen.simulator.faults import DICT, ICOM, FaultPlan, request_faults, watch_handshakes
from bacen.simulator.listener import Address, Listener
from bacen.simulator.mailroom import Mailroom
from bacen.simulator.participants import load_participants, with_connected
from bacen.simulator.problem import problems
from bacen.simulator.requests import MAILROOM, SETTLEMENT
from bacen.simulator.settings import BankSettings
from bacen.simulator.settlement import Keys, Settlement
from bacen.simulator.str import PREFIX as STR_PREFIX
from bacen.simulator.str import STR_DESK, StrDesk, StrEndpoint
from bacen.wire import LocalAuthority, Verifier, server_context
from supervisors import (
    ChildSpec,
    ChildType,
    DynamicSupervisor,
    Strategy,
    Supervisor,
    supervisor,
)


class CentralBank:
    """The SPI and DICT of the Banco Central in one supervision tree.

    It settles what its participants send over ICOM, answers DICT, and keeps everything under
    `settings.home`: `bank.sqlite3`, `dict.sqlite3` and the certificates in `pki/`, where a
    connected participant finds its own under `pki/participants/<ispb>/`. Started again on the same
    home it knows all it ever acknowledged, also after `kill -9` (not after a power cut).

    Args:
        settings: How it runs.
    """

    def __init__(self, settings: BankSettings) -> None:
        self.settings = settings
        self._address = Address("https", settings.host, settings.port)
        self._secondary = Address("https", settings.host, settings.secondary_port)
        admin_host = settings.host if settings.host in LOOPBACK else LOOPBACK[1]
        self._admin = Address("http", admin_host, settings.admin_port)
        self._loaded_keys: Keys | None = None
        self._tls: ssl.SSLContext | None = None
        self._faults: FaultPlan | None = None
        simulated = tuple(each.ispb for each in settings.counterparties)
        self._participants = with_connected(load_participants(), settings.connected + simulated)
        self._roster = Roster(settings.connected)
        for config in settings.counterparties:
            check_place(config, self._roster, self._participants)
            self._roster.enlist(config)

    @property
    def url(self) -> str:
        """Base URL of ICOM and DICT; the port is known once the tree has started."""
        return self._address.url

    @property
    def secondary_url(self) -> str:
        """Base URL of ICOM's secondary channel, known like `url`."""
        return self._secondary.url

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
            self._child("directory", self._directory, DIRECTORY),
            self._child("str", lambda _: StrDesk(self.settings, self._participants), STR_DESK),
            self._child("counterparties", lambda _: DynamicSupervisor(), COUNTERPARTIES),
            self._child("office", self._office, OFFICE),
            self._child("participants", self._participants_listener),
            self._child("secondary", self._secondary_listener),
            self._child("admin", self._admin_listener),
            self._child("cockpit", lambda _: Cockpit(self.settings, self._participants), COCKPIT),
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
        return Settlement(
            self.settings, self._participants, self._keys(node), self._plan(node), self._roster
        )

    def _office(self, _: Node) -> CounterpartyOffice:
        timeout_ms = self.settings.acceptance_timeout_ms
        return CounterpartyOffice(timeout_ms, self._roster, self._participants)

    def _directory(self, _: Node) -> Directory:
        settings, entries = self.settings, load_entries().values()
        return Directory(
            settings.home, settings.directory, self._participants, settings.connected, entries
        )

    def _plan(self, node: Node) -> FaultPlan:
        """Make the plan of faults once: it outlives the processes that ask it."""
        if self._faults is None:
            self._faults = FaultPlan(node)
            for order in self.settings.faults:
                self._faults.add(order)
        return self._faults

    def _keys(self, node: Node) -> Keys:
        """Make or load the keys once: checking an RSA key takes longer than starting the rest."""
        if self._loaded_keys is None:
            authority = LocalAuthority.create(self.settings.home, now=node.clock.now())
            certificates = [
                authority.participant(ispb).signing.certificate.read_bytes()
                for ispb in self.settings.connected
            ]
            hosts = tuple(dict.fromkeys((*LOOPBACK, self.settings.host)))
            pair = authority.server(hosts)
            self._tls = server_context(authority.certificate, pair)
            watch_handshakes(self._tls, self._plan(node), authority, pair)
            signer = authority.spi_signing().signer()
            self._loaded_keys = Keys(signer, Verifier(certificates))
        return self._loaded_keys

    def _participants_listener(self, node: Node) -> Listener:
        keys, plan = self._keys(node), self._plan(node)

        def build() -> web.Application:
            application = web.Application(middlewares=[problems], client_max_size=BODY_BYTES_MAX)
            icom = self._icom(node, ChannelName.PRIMARY)
            application.add_subapp(ICOM_PREFIX, icom)
            connected = frozenset(self.settings.connected)
            endpoint = DictEndpoint(node, connected, keys.signer, keys.verifier)
            for prefix, directory in endpoint.applications().items():
                directory.middlewares.append(request_faults(plan, node.clock, DICT))
                application.add_subapp(prefix, directory)
            application.add_subapp(STR_PREFIX, StrEndpoint(node, self.settings).application())
            return application

        return Listener(build, self._address, self._tls)

    def _secondary_listener(self, node: Node) -> Listener:
        def build() -> web.Application:
            application = web.Application(middlewares=[problems], client_max_size=BODY_BYTES_MAX)
            application.add_subapp(ICOM_PREFIX, self._icom(node, ChannelName.SECONDARY))
            return application

        return Listener(build, self._secondary, self._tls)

    def _icom(self, node: Node, channel: ChannelName) -> web.Application:
        icom = IcomEndpoint(node, self.settings, channel).application()
        icom.middlewares.append(request_faults(self._plan(node), node.clock, ICOM))
        return icom

    def _admin_listener(self, node: Node) -> Listener:
        plan = self._plan(node)

        def build() -> web.Application:
            routes = AdminEndpoint(node, plan, self._roster).routes()
            routes += FaultControl(plan).routes()
            routes += ClockControl(node.clock).routes() + CounterpartyControl(node).routes()
            routes += OrdersEndpoint(node, self.settings).routes()
            routes += ParticipantsEndpoint(node).routes()
            routes += CockpitEndpoint(node, self.settings).routes()
            routes += StrEndpoint(node, self.settings).admin_routes()
            return admin_application(routes + DictControl(node).routes())

        return Listener(build, self._admin)


@dataclass(frozen=True, slots=True)
class RunningBank:
    """A started bank.

    Attributes:
        node: Where it runs.
        pid: Its supervisor.
        url: ICOM and DICT (HTTPS, client certificate).
        secondary_url: ICOM's secondary channel.
        admin_url: Health, metrics, inspection (HTTP).
        home: Its data; certificates are in `pki/`.
    """

    node: Node
    pid: Pid
    url: str
    secondary_url: str
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
    return RunningBank(node, pid, bank.url, bank.secondary_url, bank.admin_url, settings.home)
