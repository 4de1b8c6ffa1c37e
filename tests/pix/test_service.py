"""What a client is told when DICT does not say where a key leads to."""

from typing import Any, cast

import pytest

from bacen import (
    DictError,
    DictForbidden,
    DictRateLimited,
    DictRestricted,
    DictUnavailable,
    EntryNotFound,
)
from bacen.dict import DictClient
from pix import Order, PaymentRefused, PixService
from tests.pix.desk import TENANT, Desk


class DictThatRefuses:
    """Raises what the test wants at every question."""

    def __init__(self, error: DictError) -> None:
        self.error = error

    async def get_entry(self, key: str, **about: Any) -> Any:
        del key, about
        raise self.error


def order(key: str = "+5511999887766") -> Order:
    return Order(
        tenant=TENANT,
        amount_cents=100,
        branch="0001",
        account_number="1",
        tax_id="1",
        key=key,
        creditor=None,
        description=None,
        idempotency_key="k1",
        fingerprint=b"f",
    )


async def refusal(desk: Desk, error: DictError, **order_: Any) -> PaymentRefused:
    dict_ = cast(DictClient, DictThatRefuses(error))
    service = PixService(desk.node, TENANT, desk.book, lambda: dict_, desk.reader)
    with pytest.raises(PaymentRefused) as refused:
        await service.pay(order(**order_))
    assert desk.opened.payments == {}
    return refused.value


@pytest.mark.parametrize(
    ("error", "code", "member", "retry_after_s"),
    [
        (EntryNotFound("PHONE"), "key_not_found", "pix_key", None),
        (
            DictRateLimited("RateLimited", 429, policy="P", retry_after_ms=1_001, is_local=True),
            "dict_rate_limited",
            "",
            2,
        ),
        (DictRateLimited("RateLimited", 429), "dict_rate_limited", "", 60),
        (DictRestricted("EntryBlocked", 400), "dict_restricted", "pix_key", None),
        (DictForbidden("Forbidden", 403), "dict_unavailable", "pix_key", None),
        (DictUnavailable("HTTP 503"), "dict_unavailable", "pix_key", None),
    ],
)
async def test_each_refusal_of_dict_has_its_code(
    desk: Desk, error: DictError, code: str, member: str, retry_after_s: int | None
) -> None:
    refused = await refusal(desk, error)

    assert (refused.code, refused.member) == (code, member)
    assert refused.retry_after_s == retry_after_s
    assert "5511999887766" not in refused.detail


async def test_text_that_is_no_key_is_not_asked_about(desk: Desk) -> None:
    refused = await refusal(desk, DictUnavailable("was asked"), key="no key")

    assert refused.code == "invalid_key"
