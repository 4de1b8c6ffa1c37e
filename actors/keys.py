"""Keys that compare as OTP compares them."""

from collections.abc import Hashable

LOOSE = frozenset({float, bool})  # equal to an int in Python, and with the same hash


def strict(key: Hashable) -> Hashable:
    """A key under which `1`, `1.0` and `True` are three; inside a tuple they are still one."""
    return (type(key), key) if type(key) in LOOSE else key
