"""Who is asking: bearer tokens (JWT, HS256) and the roles in them.

A verified token is remembered until it expires, so that a client that pays thousands of times with
one token costs one verification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from actors import Clock
from gateway.errors import Forbidden, Unauthorized

ISSUER = "corrente"
ALGORITHM = "HS256"
TOKENS_MAX = 10_000
MAY_ADMINISTER = frozenset({"admin"})
MAY_PAY = MAY_ADMINISTER | {"operator", "api_client"}
MAY_READ = MAY_PAY | {"compliance", "viewer"}


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a token: subject, institution and roles."""

    subject: str
    tenant: str
    roles: frozenset[str]
    expires_at: int

    def require(self, allowed: frozenset[str]) -> None:
        """Raise Forbidden unless one of the roles is allowed."""
        if not self.roles & allowed:
            raise Forbidden("the token's roles do not allow this")


class Tokens:
    """Issues and verifies tokens of one installation."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock
        self._verified: dict[str, Principal] = {}

    def issue(self, subject: str, tenant: str, roles: tuple[str, ...], seconds: int) -> str:
        """A token for `subject`, valid from now on."""
        now = self._now()
        claims = {
            "iss": ISSUER,
            "sub": subject,
            "ispb": tenant,
            "roles": list(roles),
            "iat": now,
            "exp": now + seconds,
        }
        return jwt.encode(claims, self._secret, ALGORITHM)

    def verify(self, authorization: str | None) -> Principal:
        """The holder of the token in an ``Authorization`` header; raises Unauthorized."""
        if authorization is None or not authorization.startswith("Bearer "):
            raise Unauthorized("a bearer token is needed")
        token = authorization[7:]
        principal = self._verified.get(token)
        if principal is None:
            principal = self._principal(token)
            if len(self._verified) >= TOKENS_MAX:
                self._verified.clear()
            self._verified[token] = principal
        if principal.expires_at <= self._now():
            raise Unauthorized("the token has expired")
        return principal

    def _principal(self, token: str) -> Principal:
        try:
            # Expiry is judged by the node's clock, here and at every later use of the token.
            claims: Mapping[str, Any] = jwt.decode(
                token,
                self._secret,
                [ALGORITHM],
                issuer=ISSUER,
                options={
                    "require": ["sub", "ispb", "roles", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            return Principal(
                str(claims["sub"]),
                str(claims["ispb"]),
                frozenset(str(role) for role in claims["roles"]),
                int(claims["exp"]),
            )
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise Unauthorized("the token is not valid") from error

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000_000
