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
    LimitSettings,
    LogLevel,
    LogSettings,
    NatsSettings,
    PostgresSettings,
    Profile,
    Settings,
)

__all__ = [
    "BacenSettings",
    "ConfigError",
    "GatewaySettings",
    "InstitutionSettings",
    "InvalidSettings",
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
    "load_settings",
]
