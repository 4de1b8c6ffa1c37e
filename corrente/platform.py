"""The root tree of one platform: what is started, in which order, and who dies with whom.

::

    corrente
    ├── servers      PostgreSQL, NATS, the central bank (profile embedded)
    ├── schema       migrations; everything below finds its tables
    ├── stores       PostgreSQL pool for reads
    ├── caches       participants
    ├── upkeep       once a day: the ledger's months and kept balances
    ├── bacen        clients and keys
    ├── signer       signs messages in a thread
    ├── shard        rest_for_one: writer, intake, SPI sender, SPI receivers
    ├── position     the institution's money at the central bank
    ├── events       outbox relay
    └── gateway      HTTP

The shard is rest_for_one because whoever stands behind the writer works on its memory: when that is
loaded again, they begin again.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import nats
from nats.aio.client import Client as Nats

from actors import BlockingServer, GenServer, Node
from bacen.dict import DictClient
from config import Profile, Secrets, Settings
from corrente import demo
from corrente.bank_link import BankClients, configured_link, embedded_link
from corrente.metrics import NodeMetrics
from corrente.servers import bank_child, bank_home, nats_child, postgres_child
from corrente.stores import Pool, PostgresPool
from gateway import GatewayContext, GatewayMetrics, HttpEndpoint, Tokens, application
from ledger import (
    AccountBook,
    BatchCommitted,
    LedgerUpkeep,
    ShardSettings,
    ShardWriter,
    migrate,
)
from pix import (
    IntakeSettings,
    MessageSigner,
    OpenPayments,
    OutboxRelay,
    ParticipantCache,
    ParticipantTable,
    PaymentIntake,
    PaymentReader,
    PaymentRows,
    PixService,
    PositionManager,
    SenderSettings,
    SpiReceiver,
    SpiSender,
    Wake,
)
from supervisors import ChildSpec, Strategy, Supervisor, supervisor, worker

SHARD = 1
WRITER = "ledger.writer"
INTAKE = "pix.intake"
SIGNER = "bacen.signer"
SENDER = "pix.sender.{lane}"
LANES = 3  # rounds of the SPI sender under way at once: one commits while others sign and post
POSITION = "pix.position"
WRITER_MAILBOX_MAX = 100_000
SHARD_RESTARTS_MAX = 20  # in 5 s: a database that comes and goes costs restarts, not the platform
SERVER_RESTARTS_MAX = 10  # in 5 s: a killed server may refuse to start until its last child is gone
NATS_CONNECT_SECONDS = 2


class Platform:
    """One platform: its tables, its tree, and the addresses that its parts find out.

    Attributes:
        settings: What the operator set.
        node: The node that runs it.
        book: Accounts and balances of the shard.
        endpoint: The HTTP endpoint, there once it was started.
    """

    def __init__(self, settings: Settings, node: Node) -> None:
        self.settings = settings
        self.node = node
        self.book = AccountBook()
        self.endpoint: HttpEndpoint | None = None
        self.bank_url = settings.bacen.icom_url or ""
        self._tenant = settings.institution.ispb
        self._opened = OpenPayments(LANES)
        self._participants = ParticipantTable()
        self._pool = Pool()
        self._reader = PaymentReader(self._pool, self._tenant)
        self._metrics = NodeMetrics(node, self._opened)
        self._gateway_metrics = GatewayMetrics(self._metrics.registry)
        self._clients: BankClients | None = None
        secret = settings.gateway.jwt_secret
        key = secret.get_secret_value() if secret else Secrets(settings.home).get("jwt")
        self.tokens = Tokens(key.encode(), node.clock)
        self._servers = self._server_children()

    async def start(self) -> None:
        """Start the tree; returns when the gateway listens and payments can be accepted."""
        root = Supervisor(self._children(), strategy=Strategy.ONE_FOR_ONE)
        await self.node.start(root, name="corrente")
        if self.settings.profile is Profile.EMBEDDED:
            await demo.provision(self.node, WRITER, self._tenant)

    def missing(self) -> tuple[str, ...]:
        """What a payment still waits for."""
        parts = {
            "ledger": self.book.is_loaded,
            "participants": len(self._participants) > 0,
            "bank": self._clients is not None,
        }
        return tuple(name for name, is_there in parts.items() if not is_there)

    # Servers

    def _server_children(self) -> list[ChildSpec]:
        settings = self.settings
        if settings.profile is not Profile.EMBEDDED:
            assert settings.postgres.dsn is not None  # the settings were checked
            assert settings.nats.url is not None
            self.dsn = settings.postgres.dsn.get_secret_value()
            password = settings.nats.password
            self._nats_options: dict[str, Any] = {
                "servers": settings.nats.url,
                "user": settings.nats.user,
                "password": password.get_secret_value() if password else None,
            }
            return []
        postgres, postgres_endpoint = postgres_child(settings.home, self.node.clock)
        streaming, nats_endpoint = nats_child(settings.home)
        bank = bank_child(settings.home, self._tenant, demo.pi_funding_cents())
        self.dsn = postgres_endpoint.dsn
        self._nats_options = {
            "servers": nats_endpoint.url,
            "user": nats_endpoint.user,
            "password": nats_endpoint.password,
        }
        return [postgres, streaming, bank]

    async def _connect_nats(self) -> Nats:
        return await nats.connect(
            **self._nats_options,
            connect_timeout=NATS_CONNECT_SECONDS,
            allow_reconnect=False,
            skip_subject_validation=True,  # our subjects are constants
            error_cb=_ignore,
        )

    # Tree

    def _children(self) -> Sequence[ChildSpec]:
        relay = worker("relay", lambda: OutboxRelay(SHARD, self._pool, self._connect_nats))
        return [
            supervisor(
                "servers",
                self._servers,
                strategy=Strategy.ONE_FOR_ONE,
                max_restarts=SERVER_RESTARTS_MAX,
            ),
            worker("schema", lambda: Schema(self.dsn, self.settings.profile is Profile.EMBEDDED)),
            worker("pool", lambda: PostgresPool(self.dsn, self._pool)),
            worker("participants", lambda: ParticipantCache(self._participants, self._pool)),
            worker("upkeep", lambda: LedgerUpkeep(self.dsn)),
            worker("bacen", self._make_clients),
            worker("signer", self._make_signer, name=SIGNER),
            supervisor(
                "shard",
                self._shard_children(),
                strategy=Strategy.REST_FOR_ONE,
                max_restarts=SHARD_RESTARTS_MAX,
            ),
            worker(
                "position",
                lambda: PositionManager(self._tenant, demo.PI_ACCOUNT_ID, self.book),
                name=POSITION,
            ),
            supervisor("events", [relay], strategy=Strategy.ONE_FOR_ONE),
            supervisor("gateway", [worker("http", self._make_endpoint)]),
        ]

    def _shard_children(self) -> list[ChildSpec]:
        intake = IntakeSettings(
            tenant=self._tenant,
            pi_account_id=demo.PI_ACCOUNT_ID,
            payment_max_cents=self.settings.limits.payment_max_cents,
        )
        senders = [
            worker(
                f"sender-{lane}", partial(self._make_sender, lane), name=SENDER.format(lane=lane)
            )
            for lane in range(LANES)
        ]
        receivers = [
            worker(f"receiver-{number}", self._make_receiver)
            for number in range(self.settings.bacen.streams)
        ]
        return [
            worker("writer", self._make_writer, name=WRITER, mailbox_max=WRITER_MAILBOX_MAX),
            worker(
                "intake",
                lambda: PaymentIntake(intake, self.book, self._participants, self._opened, WRITER),
                name=INTAKE,
            ),
            *senders,
            *receivers,
        ]

    def _make_writer(self) -> GenServer:
        shard = ShardSettings(SHARD, self._tenant, owner=self.node.name)
        rows = PaymentRows(self._tenant, self._opened, self._wake)
        return ShardWriter(shard, self.dsn, self.book, rows, on_committed=self._on_committed)

    def _make_clients(self) -> GenServer:
        settings = self.settings
        if settings.profile is Profile.EMBEDDED:
            link = embedded_link(bank_home(settings.home), self._tenant)
        else:
            link = configured_link(settings)
        self.bank_url = link.icom_url
        self._clients = BankClients(link, self._tenant)
        return self._clients

    def _make_signer(self) -> GenServer:
        key = self._bank().signer
        return BlockingServer(lambda: MessageSigner(key))

    def _make_sender(self, lane: int) -> GenServer:
        clients = self._bank()
        settings = SenderSettings(self._tenant, SIGNER, WRITER)
        return SpiSender(lane, settings, self._opened, clients.icom, self._reader)

    def _make_receiver(self) -> GenServer:
        clients = self._bank()
        return SpiReceiver(
            self._tenant, self._opened, WRITER, clients.verifier, clients.icom, self._reader
        )

    def _make_endpoint(self) -> GenServer:
        gateway = self.settings.gateway
        pix = PixService(self.node, self._tenant, self.book, self._dict, self._reader)
        context = GatewayContext(
            node=self.node,
            pix=pix,
            tokens=self.tokens,
            metrics=self._gateway_metrics,
            missing=self.missing,
        )
        port = gateway.port if self.endpoint is None else self.endpoint.port
        self.endpoint = HttpEndpoint(
            application(context, gateway.body_max_bytes), gateway.host, port
        )
        return self.endpoint

    def _bank(self) -> BankClients:
        assert self._clients is not None  # started above whoever asks
        return self._clients

    def _dict(self) -> DictClient:
        return self._bank().dict_client

    # Told by the writer

    def _wake(self, is_after_load: bool) -> None:
        for lane in range(LANES):
            self.node.cast(SENDER.format(lane=lane), Wake(is_after_load))

    def _on_committed(self, batch: BatchCommitted) -> None:
        states: dict[str, int] = {}
        for event in batch.events:
            states[event.name] = states.get(event.name, 0) + 1
        self._metrics.reached(states)


class Schema(GenServer):
    """Brings the tables up to date before anything that uses them starts; then rests."""

    def __init__(self, dsn: str, with_demo_participants: bool) -> None:
        self._dsn = dsn
        self._with_demo_participants = with_demo_participants

    async def init(self) -> None:
        """Migrate. A database that cannot be reached or migrated fails the start."""
        await migrate(self._dsn)
        if self._with_demo_participants:
            await demo.load_participants(self._dsn)


async def _ignore(error: Exception) -> None:
    """The relay reports what it cannot publish; the client need not print it as well."""
    del error
