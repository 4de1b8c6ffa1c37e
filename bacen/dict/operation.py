"""What an operation of the DICT API is; `operations` is the table of all of them."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from bacen.dict.part import Part
from bacen.dict.response import Response

Q = TypeVar("Q", bound=Part)
R = TypeVar("R", bound=Response)

PREFIX = "/api/v2"
NON_PRIORITY_PREFIX = "/api-np/v2"


class Repeat(Enum):
    """What to do when nobody knows whether a request was carried out.

    SAME: send the same again; it is carried out once, or twice with the same effect.
    ASK: read first what there is; the same again would be refused or would be a second one.
    """

    SAME = auto()
    ASK = auto()


@dataclass(frozen=True, slots=True)
class Operation(Generic[Q, R]):
    """One operation of the API.

    Attributes:
        name: `operationId`; the root elements are named after it.
        way: Method, and template of the path below the prefix; a name in braces is that of a
            field of the request.
        policy: Bucket that it draws on; None where the API names none.
        roles: Fields of the request that make a list cheap; with none of them given, the policy
            is the one without role.
        status: HTTP status of success.
        is_priority: Served on the main host.
        is_deprecated: DICT answers 410 DeprecatedResource.
    """

    name: str
    way: str
    request: type[Q]
    response: type[R]
    policy: str | None = None
    roles: tuple[str, ...] = ()
    status: int = 200
    repeat: Repeat = Repeat.SAME
    is_priority: bool = True
    is_deprecated: bool = False

    @property
    def method(self) -> str:
        """HTTP method: GET, POST or PUT."""
        return self.way.partition(" ")[0]

    @property
    def path(self) -> str:
        """Template of the whole path, with the prefix of its host."""
        prefix = PREFIX if self.is_priority else NON_PRIORITY_PREFIX
        return prefix + self.way.partition(" ")[2]

    @property
    def has_body(self) -> bool:
        """Whether the request is a document; otherwise it is path, query and headers."""
        return self.method != "GET"

    @property
    def is_signed(self) -> bool:
        """Whether the request is signed: every write, not the check of keys."""
        return self.has_body and self.is_priority

    @property
    def request_tag(self) -> str:
        """Root element of the request."""
        return f"{self.name[0].upper()}{self.name[1:]}Request"

    @property
    def response_tag(self) -> str:
        """Root element of the answer."""
        return f"{self.name[0].upper()}{self.name[1:]}Response"

    def policy_of(self, request: Part) -> str | None:
        """Name the bucket that one request draws on."""
        is_cheap = not self.roles or any(getattr(request, role) for role in self.roles)
        if is_cheap or self.policy is None:
            return self.policy
        return self.policy.replace("_WITH_ROLE", "_WITHOUT_ROLE")
