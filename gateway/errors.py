"""Errors of the gateway: what a request did wrong, before anything was asked of a room behind it.

::

    GatewayError
    ├── Unauthorized         no valid token
    ├── Forbidden            a valid token without the role for this
    └── InvalidRequest       the request does not have the form it must have
"""

from dataclasses import dataclass, fields


class GatewayError(Exception):
    """Root of the errors of this room."""

    def __post_init__(self) -> None:
        # An exception built from keyword arguments has empty args and does not survive pickling.
        self.args = tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type] # every subclass is a dataclass


@dataclass(eq=False)
class Unauthorized(GatewayError):
    """The request carries no token, or one that is forged, foreign or expired."""

    detail: str


@dataclass(eq=False)
class Forbidden(GatewayError):
    """The token is valid, but its roles do not allow this."""

    detail: str


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a request.

    Attributes:
        reason: What must hold, without the value that was given.
        member: Name of the member, dotted.
    """

    reason: str
    member: str


@dataclass(eq=False)
class InvalidRequest(GatewayError):
    """The body is not JSON, or not of the form the operation takes.

    Attributes:
        code: ``malformed_json`` or ``validation_failed``.
        violations: Everything that is wrong, as far as it was read.
    """

    code: str
    violations: tuple[Violation, ...]
