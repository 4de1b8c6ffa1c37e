"""The root tree of one platform: what is started, in which order, and who dies with whom.

::

    corrente
    ├── servers      PostgreSQL, NATS, the central bank (profile embedded)
    ├── schema       migrations; everything below finds its tables
    ├── stores       PostgreSQL pool for reads
    ├── caches       participants
    ├── upkeep       once a day: the ledger's months and kept balances
    ├── bacen        clients and keys
    ├── signer       signs messages in threads
    ├── breaker      only with TigerBeetle: its client, the breaker
    ├── shard        rest_for_one: writer, intake, SPI sender, SPI receivers; with TigerBeetle a
    │                door behind the writer, and a follower at the end
    ├── position     the institution's money at the central bank
    ├── events       outbox relay
    └── gateway      HTTP

The shard is rest_for_one because whoever stands behind the writer works on its memory: when that is
loaded again, they begin again.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import nats
from nats.aio.client import Client as Nats

from actors import GenServer, Node
from bacen.dict import DictClient
from bacen.icom import ChannelName
from bacen.signing import signer_pool
from config import Profile, Secrets, Settings
from corrente import demo
from corrente.bank_link import SIGNER, BankClients, BankLink, configured_link, embedded_link
from corrente.both_ledgers import DOOR, BothLedgers
from corrente.breaker_metrics import BreakerMetrics
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
        self._link: BankLink | None = None
        self._clients: BankClients | None = None
        secret = settings.gateway.jwt_secret
        key = secret.get_secret_value() if secret else Secrets(settings.home).get("jwt")
        self.tokens = Tokens(key.encode(), node.clock)
        self._servers = self._server_children()
        self._both = self._both_ledgers()
        self._ledger = WRITER if self._both is None else DOOR
        if self._both is not None:
            BreakerMetrics(self._metrics.registry, node)

    async def start(self) -> None:
        """Start the tree; returns when the gateway listens and payments can be accepted."""
        root = Supervisor(self._children(), strategy=Strategy.ONE_FOR_ONE)
        await self.node.start(root, name="corrente")
        if self.settings.profile is Profile.EMBEDDED:
            await demo.provision(self.node, WRITER, self._tenant)
        if self._both is not None:
            await self._both.first_look()

    @property
    def ledgers(self) -> str:
        """Where the money is kept, in one line."""
        if self._both is None:
            return "PostgreSQL alone: ledger.tigerbeetle.addresses is not set"
        return f"TigerBeetle at {self.settings.ledger.tigerbeetle.addresses}, and PostgreSQL"

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

    def _both_ledgers(self) -> BothLedgers | None:
        tigerbeetle = self.settings.ledger.tigerbeetle
        if tigerbeetle.addresses is None:
            return None
        return BothLedgers(self.node, self._tenant, self.dsn, tigerbeetle)

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
            worker("schema", self._make_schema),
            worker("pool", lambda: PostgresPool(self.dsn, self._pool)),
            worker("participants", lambda: ParticipantCache(self._participants, self._pool)),
            worker("upkeep", lambda: LedgerUpkeep(self.dsn)),
            worker("bacen", self._make_clients),
            worker("signer", self._make_signer, name=SIGNER),
            *([self._both.breaker_child()] if self._both else []),
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
        if self._has_secondary:
            make = partial(self._make_receiver, ChannelName.SECONDARY)
            receivers.append(worker("receiver-secondary", make))
        return [
            worker("writer", self._make_writer, name=WRITER, mailbox_max=WRITER_MAILBOX_MAX),
            *([self._both.door_child(WRITER, self.book, SHARD)] if self._both else []),
            worker(
                "intake",
                lambda: PaymentIntake(
                    intake, self.book, self._participants, self._opened, self._ledger
                ),
                name=INTAKE,
            ),
            *senders,
            *receivers,
            *([self._both.follower_child(self.book, SHARD)] if self._both else []),
        ]

    def _make_schema(self) -> GenServer:
        is_demo = self.settings.profile is Profile.EMBEDDED
        return Schema(self.dsn, is_demo, self._both.prepare if self._both else None)

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
        self._link = link
        self._clients = BankClients(link, self._tenant)
        return self._clients

    def _make_signer(self) -> GenServer:
        assert self._link is not None  # made with the clients
        return signer_pool(self._link.keys)

    def _make_sender(self, lane: int) -> GenServer:
        clients = self._bank()
        settings = SenderSettings(self._tenant, SIGNER, self._ledger, self._key_paid)
        return SpiSender(lane, settings, self._opened, clients.icom, self._reader)

    def _make_receiver(self, channel: ChannelName = ChannelName.PRIMARY) -> GenServer:
        clients = self._bank()
        stream = clients.icom.stream(channel)
        return SpiReceiver(
            self._tenant, self._opened, self._ledger, clients.verifier, stream, self._reader
        )

    @property
    def _has_secondary(self) -> bool:
        bacen = self.settings.bacen
        return self.settings.profile is Profile.EMBEDDED or bacen.icom_secondary_url is not None

    def _make_endpoint(self) -> GenServer:
        gateway = self.settings.gateway
        pix = PixService(self.node, self._tenant, self.book, self._dict, self._reader)
        context = GatewayContext(
            node=self.node,
            pix=pix,
            tokens=self.tokens,
            metrics=self._gateway_metrics,
            missing=self.missing,
            breaker=self._both.desk(self._pool) if self._both else None,
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

    def _key_paid(self, payer_tax_id: str, key: str) -> None:
        self._dict().payment_sent(payer_tax_id, key)

    # Told by the writer

    def _wake(self, is_after_load: bool) -> None:
        for lane in range(LANES):
            self.node.cast(SENDER.format(lane=lane), Wake(is_after_load))

    def _on_committed(self, batch: BatchCommitted) -> None:
        states: dict[str, int] = {}
        for event in batch.events:
            states[event.name] = states.get(event.name, 0) + 1
        self._metrics.reached(states)
        if self._both is not None:
            self._both.written()


class Schema(GenServer):
    """Brings the tables up to date before anything that uses them starts; then rests."""

    def __init__(
        self,
        dsn: str,
        with_demo_participants: bool,
        then: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._dsn = dsn
        self._with_demo_participants = with_demo_participants
        self._then = then

    async def init(self) -> None:
        """Migrate. A database that cannot be reached or migrated fails the start."""
        await migrate(self._dsn)
        if self._with_demo_participants:
            await demo.load_participants(self._dsn)
        if self._then is not None:
            await self._then()


async def _ignore(error: Exception) -> None:
    """The relay reports what it cannot publish; the client need not print it as well."""
    del error
