"""What can be wrong with the configuration. All of it is found before anything starts.

ConfigError
├── InvalidSettings   keys that are unknown, missing or out of range
└── SecretExposed     a secret file that others may read
"""

from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(eq=False)
class ConfigError(Exception):
    """The configuration cannot be used; nothing was started."""

    def __post_init__(self) -> None:
        # An exception made with keyword arguments has empty args and does not survive pickling.
        self.args = tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in the settings.

    Attributes:
        key: Dotted name of the setting, such as `gateway.port`, or the path of a file.
        problem: What must hold instead; holds the refused value unless that could be a secret.
    """

    key: str
    problem: str


@dataclass(eq=False)
class InvalidSettings(ConfigError):
    """Settings that break their rules; `str()` has one line for each mistake.

    Attributes:
        mistakes: All that was found, not just the first.
    """

    mistakes: tuple[Mistake, ...]

    def __str__(self) -> str:
        return "\n".join(f"{mistake.key}: {mistake.problem}" for mistake in self.mistakes)


@dataclass(eq=False)
class SecretExposed(ConfigError):
    """A file with a secret may be read by others than its owner, so the secret is none any more.

    Attributes:
        path: The file.
        mode: Its permission bits.
    """

    path: Path
    mode: int

    def __str__(self) -> str:
        return f"{self.path}: mode {self.mode:04o} lets others read it; change it, then chmod 600"
