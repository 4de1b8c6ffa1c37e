"""What can go wrong in the business of payments, and whose fault it was.

::

    PixError
    ├── PaymentRefused       nothing was done; the reason has a code for the client
    └── PaymentUnknown       it may have happened; ask with the same idempotency key
"""

from dataclasses import dataclass, fields


class PixError(Exception):
    """Root of the errors of this room."""

    def __post_init__(self) -> None:
        # An exception built from keyword arguments has empty args and does not survive pickling.
        self.args = tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type] # every subclass is a dataclass


@dataclass(eq=False)
class PaymentRefused(PixError):
    """The payment was not made, and nothing moved.

    Attributes:
        code: Stable, machine-readable reason (``insufficient_funds``).
        detail: One sentence for a person; never personal data.
        member: Member of the request that is at fault, empty where none is.
        retry_after_s: When the same order may be accepted, where that is known.
    """

    code: str
    detail: str
    member: str = ""
    retry_after_s: int | None = None


@dataclass(eq=False)
class PaymentUnknown(PixError):
    """No answer came in time; the payment may or may not have been accepted.

    Attributes:
        detail: One sentence for a person.
    """

    detail: str
