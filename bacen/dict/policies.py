"""Rate limit policies as DICT tells them: structs and operations (DICT API 2.12.1)."""

from typing import Annotated, Literal

from bacen.dict.forms import Balance, Count, Ispb, Word
from bacen.dict.part import Header, Items, Part
from bacen.dict.response import Response

Category = Literal["A", "B", "C", "D", "E", "F", "G", "H"]
"""Category of a participant; its rate of reading keys follows from it."""


class Policy(Part, frozen=True, kw_only=True):
    """A bucket at DICT.

    Attributes:
        available_tokens: Its balance now.
        refill_tokens: Tokens that come in each period.
        refill_period_sec: Length of a period, in seconds.
        name: As the API calls it.
    """

    available_tokens: Balance
    capacity: Count
    refill_tokens: Count
    refill_period_sec: Count
    name: Word


class ListPoliciesRequest(Part, frozen=True, kw_only=True):
    """listPolicies of a participant."""

    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class GetPolicyRequest(Part, frozen=True, kw_only=True):
    """getPolicy by its name."""

    policy: Word
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class ListPoliciesResponse(Response, frozen=True, kw_only=True):
    """Answer to listPolicies."""

    category: Category
    policies: Annotated[tuple[Policy, ...], Items("Policy")] = ()


class GetPolicyResponse(Response, frozen=True, kw_only=True):
    """Answer to getPolicy."""

    category: Category
    policy: Policy
