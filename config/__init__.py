"""What an operator may set, read once at start: typed settings, profiles and generated secrets.

Import from here; the modules behind it may move.
"""

from config.errors import ConfigError, InvalidSettings, Mistake, SecretExposed
from config.load import load_settings
from config.secret_files import Secrets
from config.settings import (
    BacenSettings,
    GatewaySettings,
    InstitutionSettings,
    LedgerSettings,
    LimitSettings,
    LogLevel,
    LogSettings,
    NatsSettings,
    PostgresSettings,
    Profile,
    Settings,
    TigerBeetleSettings,
)

__all__ = [
    "BacenSettings",
    "ConfigError",
    "GatewaySettings",
    "InstitutionSettings",
    "InvalidSettings",
    "LedgerSettings",
    "LimitSettings",
    "LogLevel",
    "LogSettings",
    "Mistake",
    "NatsSettings",
    "PostgresSettings",
    "Profile",
    "SecretExposed",
    "Secrets",
    "Settings",
    "TigerBeetleSettings",
    "load_settings",
]
