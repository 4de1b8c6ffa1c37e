"""Ids and randomness of a node; seeded in simulations, so that a failing run replays."""

import random  # noqa: TID251 (this module wraps it)
import uuid

from actors.clock import Clock

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TAIL_BITS = 70  # 12 + 62 random bits of RFC 9562 section 5.7, less the four that stay zero
_TAIL_END = 1 << _TAIL_BITS
_STEP_BITS = 24  # ids of the same millisecond lie this far apart: hard to guess, room for 2^45


def make_rng(seed: int | None) -> random.Random:
    """Random numbers of a node: from the system's entropy, or repeatable when seeded."""
    return random.Random(seed)  # noqa: S311 (secrets come from `token`)


class IdGenerator:
    """Time-ordered ids and random tokens.

    Args:
        clock: Gives the milliseconds.
        rng: Gives the random bits of ids.
        seed: None draws tokens from the system's entropy; a number makes them repeatable, for
            simulations only.
    """

    def __init__(self, clock: Clock, rng: random.Random, seed: int | None = None) -> None:
        self._clock = clock
        self._rng = rng
        # A token can be a secret, and a node's rng can be predicted from what it gave out.
        self._tokens: random.Random = random.SystemRandom() if seed is None else rng
        self._last_ms = -1
        self._tail = 0

    def new_id(self) -> uuid.UUID:
        """A version 7 UUID (RFC 9562 section 5.7), greater than every earlier one of this node.

        The low four bits are always zero: `base | n` for n in 1..15 are ids derived from it.
        """
        now_ms = self._clock.now_ns() // 1_000_000
        if now_ms > self._last_ms:
            self._last_ms = now_ms
            self._tail = self._rng.getrandbits(_TAIL_BITS - 1)
        else:
            self._tail += 1 + self._rng.getrandbits(_STEP_BITS)
            if self._tail >= _TAIL_END:
                self._last_ms += 1
                self._tail = self._rng.getrandbits(_TAIL_BITS - 1)
        high, low = self._tail >> 58, (self._tail & ((1 << 58) - 1)) << 4
        return uuid.UUID(int=self._last_ms << 80 | 7 << 76 | high << 64 | 2 << 62 | low)

    def token(self, length: int) -> str:
        """Random letters and digits; unguessable unless the node was seeded."""
        return "".join(self._tokens.choices(_BASE62, k=length))
