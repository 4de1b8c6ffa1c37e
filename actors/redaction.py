"""What may be shown of errors, reasons and state: types, sizes and places, never values.

A value can be a payload, a key, a CPF or a token, and the text of an error can quote one. So only
errors of the runtime itself show what they say: their fields are names, pids and type names.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Final

from actors.errors import ActorError
from actors.reason import Crash, ExitReason, Failed, Shutdown

_OWN_ERRORS: Final = ActorError.__module__  # a subclass in another room may hold anything
_COLLECTIONS: Final = (dict, list, tuple, set, frozenset, deque)


def error_text(error: BaseException) -> str:
    """Type of an error; with its fields when it is the runtime's own."""
    name = type(error).__name__
    if type(error).__module__ != _OWN_ERRORS or not isinstance(error, ActorError):
        return name
    shown = ", ".join(
        f"{field.name}={_field_text(getattr(error, field.name), field.type)}"
        for field in fields(error)
    )
    return f"{name}({shown})"


def reason_text(reason: object) -> str:
    """An exit reason in one line.

    The detail of `Failed` and `Shutdown` is shown when it is a text: whoever stops writes it for a
    person. Anything else is shown by type, with the reasons that it holds.
    """
    if isinstance(reason, Crash):
        where = f" at {reason.place}" if reason.place else ""
        return f"Crash({error_text(reason.error)}{where})"
    if isinstance(reason, Failed | Shutdown):
        name = type(reason).__name__
        return f"{name}({'' if reason.detail is None else _detail_text(reason.detail)})"
    if isinstance(reason, BaseException):
        return error_text(reason)
    return repr(reason) if isinstance(reason, ExitReason) else type(reason).__name__


def shape(value: object) -> str:
    """Type of a value, and its size where it is a text or a collection."""
    name = type(value).__name__
    if isinstance(value, str):
        return f"{name}, {len(value)} characters"
    if isinstance(value, bytes | bytearray):
        return f"{name}, {len(value)} bytes"
    if isinstance(value, _COLLECTIONS):
        return f"{name}, {len(value)} items"
    return name


def shapes(attributes: Mapping[str, object]) -> dict[str, str]:
    """Shape of each attribute, by its name."""
    return {name: shape(value) for name, value in attributes.items()}


def _field_text(value: object, declared: object) -> str:
    if isinstance(value, ExitReason | BaseException):
        return reason_text(value)
    return type(value).__name__ if declared is object else str(value)


def _detail_text(detail: object) -> str:
    if isinstance(detail, str):
        return repr(detail)
    if isinstance(detail, ExitReason | BaseException):
        return reason_text(detail)
    if not is_dataclass(detail):
        return type(detail).__name__
    values = (getattr(detail, field.name) for field in fields(detail))
    held = [reason_text(value) for value in values if isinstance(value, ExitReason)]
    return f"{type(detail).__name__}({', '.join(held)})"
