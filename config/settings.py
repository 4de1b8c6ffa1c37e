from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ENVIRONMENT_PREFIX = "CORRENTE_"
ENVIRONMENT_DELIMITER = "__"
PORT_END = 65_536
JWT_SECRET_BYTES_MIN = 32  # RFC 7518 §3.2: a key for HS256 is no shorter than the hash


class Profile(StrEnum):
    """Where the servers that the platform needs come from.

    Attributes:
        EMBEDDED: Corrente starts them itself, their data under `home`.
        SERVICES: They run already; every address is given.
    """

    EMBEDDED = "embedded"
    SERVICES = "services"


class LogLevel(StrEnum):
    """Least severe log event that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _require_scheme(url: str, *schemes: str) -> None:
    """Refuse other URLs without repeating them: there may be a password inside."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme not in schemes:
        raise PydanticCustomError(
            "url", "must be a URL that starts with {scheme}://", {"scheme": schemes[0]}
        )


def _postgres_url(url: SecretStr) -> SecretStr:
    _require_scheme(url.get_secret_value(), "postgresql", "postgres")
    return url


def _nats_url(url: str) -> str:
    _require_scheme(url, "nats", "tls")
    if "@" in url:
        raise PydanticCustomError(
            "url", "must not hold credentials; they belong into nats.user and nats.password"
        )
    return url


def _https_url(url: str) -> str:
    _require_scheme(url, "https")
    return url


def _replicas(addresses: str) -> str:
    for address in addresses.split(","):
        host, _, port = address.rpartition(":")
        is_port = port.isascii() and port.isdigit() and 0 < int(port) < PORT_END
        if not is_port or host != host.strip() or (":" in address and not host):
            raise PydanticCustomError(
                "addresses", "must be ports or host:port, with commas between: 10.0.0.1:3000"
            )
    return addresses


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < JWT_SECRET_BYTES_MIN:
        raise PydanticCustomError(
            "secret", "must have at least {least} bytes", {"least": JWT_SECRET_BYTES_MIN}
        )
    return secret


FilePath = Annotated[Path, AfterValidator(_absolute)]
HttpsUrl = Annotated[str, AfterValidator(_https_url)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class InstitutionSettings(_Section):
    """The participant that this platform belongs to.

    Attributes:
        ispb: Eight characters that identify it at the Banco Central.
        name: Its name as customers see it.
    """

    ispb: Annotated[str, Field(pattern="^[0-9A-Z]{8}$")] = "12345678"
    name: Annotated[str, Field(min_length=1, max_length=140)] = "CORRENTE DEMO IP"


class GatewaySettings(_Section):
    """The HTTP interface.

    Attributes:
        host: Address to listen on.
        port: TCP port; 0 lets the system pick one.
        body_max_bytes: Largest request body that is read.
        jwt_secret: Key that access tokens are signed with (HS256), at least 32 bytes; without
            one a key is generated under `home/secrets`.
    """

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 4003
    body_max_bytes: Annotated[int, Field(ge=1_024, le=16_777_216)] = 65_536
    jwt_secret: Annotated[SecretStr, AfterValidator(_long_enough)] | None = None


class PostgresSettings(_Section):
    """The PostgreSQL of profile `services`.

    Attributes:
        dsn: `postgresql://user:password@host:port/database`; a secret, because of the password.
    """

    dsn: Annotated[SecretStr, AfterValidator(_postgres_url)] | None = None


class NatsSettings(_Section):
    """The NATS server, with JetStream, of profile `services`.

    Attributes:
        url: `nats://host:port` or `tls://host:port`, without credentials.
        user: User name, if the server asks for one.
        password: That user's password.
    """

    url: Annotated[str, AfterValidator(_nats_url)] | None = None
    user: str | None = None
    password: SecretStr | None = None


class BacenSettings(_Section):
    """The Banco Central as seen from here; the files and addresses are of profile `services`.

    Attributes:
        icom_url: ICOM, which carries the SPI messages; its primary channel.
        icom_secondary_url: Its secondary channel, for scheduled payments.
        icom_per_second: Tokens a second that ICOM grants on the primary channel of profile
            `services`; the bank of profile `embedded` grants more.
        dict_url: DICT, the directory of Pix keys.
        dict_category: Category of the institution at DICT, A to H, by which reading keys is
            limited; without it, what DICT says.
        dict_rate_factor: How many times as large DICT's buckets are; above 1 for a bank in a box
            only, and of profile `services` like the category.
        ca_file: PEM certificates of the authorities that sign both servers' TLS certificates.
        client_certificate_file: PEM certificate of our side of the TLS connections.
        client_key_file: PEM private key that belongs to it.
        signing_certificate_file: Certificates of our message signatures, PEM; while keys are
            changed there are two.
        signing_key_file: Private keys that belong to them, PEM, or PKCS#12 with its certificate.
        signing_password: Password of `signing_key_file`, where it is encrypted.
        signing_module: PKCS#11 library of the token that holds the keys instead of a file.
        signing_token: Label of that token.
        signing_pin: PIN of its user.
        bank_certificates_file: PEM certificates that the bank's message signatures verify with.
        streams: Output streams that are read at once, of the six that ICOM grants.
    """

    icom_url: HttpsUrl | None = None
    icom_secondary_url: HttpsUrl | None = None
    icom_per_second: Annotated[int, Field(ge=1, le=1_000_000)] = 750
    dict_url: HttpsUrl | None = None
    dict_category: Literal["A", "B", "C", "D", "E", "F", "G", "H"] | None = None
    dict_rate_factor: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    ca_file: FilePath | None = None
    client_certificate_file: FilePath | None = None
    client_key_file: FilePath | None = None
    signing_certificate_file: FilePath | None = None
    signing_key_file: FilePath | None = None
    signing_password: SecretStr | None = None
    signing_module: FilePath | None = None
    signing_token: str | None = None
    signing_pin: SecretStr | None = None
    bank_certificates_file: FilePath | None = None
    streams: Annotated[int, Field(ge=1, le=6)] = 6


class LimitSettings(_Section):
    """Limits of the business.

    Attributes:
        payment_max_cents: Largest amount of one payment, in centavos.
    """

    payment_max_cents: Annotated[int, Field(ge=1, le=99_999_999_999_999)] = 99_999_999_999


class TigerBeetleSettings(_Section):
    """The second ledger; without addresses there is none, and PostgreSQL keeps the money alone.

    Attributes:
        addresses: Of all replicas: `3000` or `10.0.0.1:3000,10.0.0.2:3000`.
        cluster_id: As the data files were formatted with.
        deadline_ms: Longest wait for an answer; its outcome is unknown then, and the breaker
            counts a failure.
        failures_max: So many failures in a row open the breaker.
        rest_ms: So long it stays open before it tries TigerBeetle again.
    """

    addresses: Annotated[str, AfterValidator(_replicas)] | None = None
    cluster_id: Annotated[int, Field(ge=0, le=2**128 - 1)] = 0
    deadline_ms: Annotated[int, Field(ge=50, le=60_000)] = 1_000
    failures_max: Annotated[int, Field(ge=1, le=100)] = 3
    rest_ms: Annotated[int, Field(ge=100, le=3_600_000)] = 30_000


class LedgerSettings(_Section):
    """Where the money is kept beside PostgreSQL.

    Attributes:
        tigerbeetle: The second ledger.
    """

    tigerbeetle: TigerBeetleSettings = TigerBeetleSettings()


class LogSettings(_Section):
    """What is written to the log.

    Attributes:
        level: Least severe event that is written.
    """

    level: LogLevel = LogLevel.INFO


OF_SERVICES = (
    ("postgres", "dsn"),
    ("nats", "url"),
    ("bacen", "icom_url"),
    ("bacen", "dict_url"),
    ("bacen", "ca_file"),
    ("bacen", "client_certificate_file"),
    ("bacen", "client_key_file"),
    ("bacen", "signing_certificate_file"),
    ("bacen", "bank_certificates_file"),
)
OF_A_FILE = ("signing_key_file", "signing_password")
OF_A_TOKEN = ("signing_module", "signing_token", "signing_pin")
OF_KEYS = (*OF_A_FILE, *OF_A_TOKEN)


class Settings(BaseSettings):
    """Everything an operator may set. Frozen; made by `load_settings`.

    Attributes:
        profile: Where the servers come from.
        home: Folder of all data, absolute; made at start when it is missing.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter=ENVIRONMENT_DELIMITER,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    profile: Profile = Profile.EMBEDDED
    home: FilePath = Field(default=Path(".corrente"), validate_default=True)
    institution: InstitutionSettings = InstitutionSettings()
    gateway: GatewaySettings = GatewaySettings()
    postgres: PostgresSettings = PostgresSettings()
    nats: NatsSettings = NatsSettings()
    bacen: BacenSettings = BacenSettings()
    limits: LimitSettings = LimitSettings()
    ledger: LedgerSettings = LedgerSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _profile_has_its_addresses(self) -> Self:
        """Require the addresses where they are used, refuse them where nobody would read them."""
        wanted = self.profile is Profile.SERVICES
        problem = "is required" if wanted else "is not used"
        wrong = {
            f"{section}.{key}": f"{problem} by profile {self.profile}"
            for section, key in OF_SERVICES
            if (getattr(getattr(self, section), key) is not None) is not wanted
        }
        if not wanted and self.bacen.icom_secondary_url is not None:  # optional where it is used
            wrong["bacen.icom_secondary_url"] = f"{problem} by profile {self.profile}"
        wrong |= self._signing_problems()
        if wrong:
            raise PydanticCustomError("profile", "settings do not fit the profile", wrong)
        return self

    def _signing_problems(self) -> dict[str, str]:
        """Our keys lie in a file or in a token, all of which is named; in profile `services`."""
        given = {key for key in OF_KEYS if getattr(self.bacen, key) is not None}
        if self.profile is not Profile.SERVICES:
            return {f"bacen.{key}": f"is not used by profile {self.profile}" for key in given}
        if given.isdisjoint(OF_A_TOKEN):
            wrong = (
                {}
                if "signing_key_file" in given
                else {OF_A_FILE[0]: f"is required by profile {self.profile}"}
            )
        else:
            wrong = {key: "is required by a token" for key in OF_A_TOKEN if key not in given}
            wrong |= {key: "is not used with a token" for key in OF_A_FILE if key in given}
        return {f"bacen.{key}": problem for key, problem in wrong.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the arguments and nothing else: `load_settings` merges the sources."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)
