"""Servers of the profile `embedded`: PostgreSQL and NATS as children of our own tree.

Each `*_child` function answers the specification of the child and the endpoint its clients use;
nothing runs before the child is started. Hold `claim_home` around all of it.
"""

from corrente.servers.bank import (
    EMBEDDED_DICT_FACTOR,
    EMBEDDED_PER_SECOND,
    bank_child,
    bank_home,
)
from corrente.servers.errors import (
    ForeignData,
    HomeInUse,
    InitialiseFailed,
    LeftoverServer,
    NoServerUser,
    OtherVersion,
    ServerError,
    ServerMissing,
    SocketFolderRefused,
)
from corrente.servers.home import claim_home, kept_port
from corrente.servers.nats import NatsEndpoint, nats_child
from corrente.servers.postgres import PostgresEndpoint, postgres_child

__all__ = [
    "EMBEDDED_DICT_FACTOR",
    "EMBEDDED_PER_SECOND",
    "ForeignData",
    "HomeInUse",
    "InitialiseFailed",
    "LeftoverServer",
    "NatsEndpoint",
    "NoServerUser",
    "OtherVersion",
    "PostgresEndpoint",
    "ServerError",
    "ServerMissing",
    "SocketFolderRefused",
    "bank_child",
    "bank_home",
    "claim_home",
    "kept_port",
    "nats_child",
    "postgres_child",
]
