"""Why something did not start, for a person."""

from typing import Any

from actors import StartFailed


def why(error: StartFailed) -> str:
    """The innermost reason of a start that failed, in one line."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or getattr(reason, "detail", None)
        inner = inner or getattr(reason, "error", None)
        if inner is None or isinstance(inner, str):
            break
        reason = inner
    return str(reason).strip().splitlines()[0] if str(reason).strip() else type(reason).__name__
