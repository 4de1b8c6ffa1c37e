"""What participants ask of DICT in the tests: people, accounts, keys and claims of them."""

import itertools
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID, uuid4

import pytest

from bacen.dict import (
    Account,
    Claim,
    ClaimDecisionRequest,
    ClaimRequest,
    CompleteClaimRequest,
    CreateClaimRequest,
    CreateEntryRequest,
    DeleteEntryRequest,
    DictClient,
    DictOptions,
    DictRefused,
    Entry,
    GetClaimRequest,
    GetEntryRequest,
    NewClaim,
    NewEntry,
    Person,
    key_type,
    sign_with,
)
from bacen.wire import make_end_to_end_id
from tests.bacen.simulator.desk import PAYER, DeskKeys

ANA = "52998224725"
BRUNO = "39053344705"
PADARIA = "11222333000181"
PHONE = "+5511987654321"
OPENED = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)

numbers = itertools.count(1)


def open_client(url: str, keys: DeskKeys) -> DictClient:
    return DictClient(
        url, keys.ispb, keys.context, keys.spi, DictOptions(sign=sign_with(keys.signer))
    )


def account(participant: str, number: str = "1001", **changed: Any) -> Account:
    return Account(
        **{
            "participant": participant,
            "branch": "0001",
            "account_number": number,
            "account_type": "CACC",
            "opening_date": OPENED,
            **changed,
        }
    )


def person(tax_id: str = ANA, **changed: Any) -> Person:
    is_natural = len(tax_id) == 11
    return Person(
        **{
            "type": "NATURAL_PERSON" if is_natural else "LEGAL_PERSON",
            "tax_id_number": tax_id,
            "name": "Ana de Teste" if is_natural else "Padaria de Teste LTDA",
            **changed,
        }
    )


def new_entry(
    participant: str, key: str | None, *, tax_id: str = ANA, number: str = "1001"
) -> NewEntry:
    return NewEntry(
        key=key,
        key_type="EVP" if key is None else key_type(key),
        account=account(participant, number),
        owner=person(tax_id),
    )


async def register(
    client: DictClient,
    key: str | None,
    *,
    request_id: UUID | None = None,
    reason: Any = "USER_REQUESTED",
    **wanted: Any,
) -> Entry:
    """Make an entry of the client's participant."""
    request = CreateEntryRequest(
        entry=new_entry(client.ispb, key, **wanted),
        reason=reason,
        request_id=request_id or uuid4(),
    )
    return (await client.create_entry(request)).entry


async def delete(client: DictClient, key: str, reason: Any = "USER_REQUESTED") -> None:
    await client.delete_entry(DeleteEntryRequest(key=key, participant=client.ispb, reason=reason))


def reading(client: DictClient, key: str, **changed: Any) -> GetEntryRequest:
    return GetEntryRequest(
        **{
            "key": key,
            "participant": client.ispb,
            "payer_id": BRUNO,
            "end_to_end_id": new_end_to_end_id(client.ispb),
            **changed,
        }
    )


def new_end_to_end_id(ispb: str = PAYER) -> str:
    return make_end_to_end_id(ispb, datetime.now(UTC), f"{next(numbers):011d}")


async def read(client: DictClient, key: str, **changed: Any) -> Entry:
    return (await client.read_entry(reading(client, key, **changed))).entry


async def claim(
    client: DictClient, key: str, kind: Any, *, tax_id: str = ANA, number: str = "2002"
) -> Claim:
    """Claim a key for an account at the client's participant."""
    wanted = NewClaim(
        type=kind,
        key=key,
        key_type=key_type(key),
        claimer_account=account(client.ispb, number),
        claimer=person(tax_id),
    )
    return (await client.create_claim(CreateClaimRequest(claim=wanted))).claim


async def get_claim(client: DictClient, number: UUID) -> Claim:
    request = GetClaimRequest(claim_id=number, participant=client.ispb)
    return (await client.get_claim(request)).claim


async def acknowledge(client: DictClient, number: UUID) -> Claim:
    request = ClaimRequest(claim_id=number, participant=client.ispb)
    return (await client.acknowledge_claim(request)).claim


async def confirm(client: DictClient, number: UUID, reason: Any = "USER_REQUESTED") -> Claim:
    request = ClaimDecisionRequest(claim_id=number, participant=client.ispb, reason=reason)
    return (await client.confirm_claim(request)).claim


async def cancel(client: DictClient, number: UUID, reason: Any = "USER_REQUESTED") -> Claim:
    request = ClaimDecisionRequest(claim_id=number, participant=client.ispb, reason=reason)
    return (await client.cancel_claim(request)).claim


async def complete(client: DictClient, number: UUID, request_id: UUID | None = None) -> Claim:
    request = CompleteClaimRequest(
        claim_id=number, participant=client.ispb, request_id=request_id or uuid4()
    )
    return (await client.complete_claim(request)).claim


class Refused:
    """Expect a problem of one type: `with refused("NotFound"):`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._raises = pytest.raises(DictRefused)

    def __enter__(self) -> Self:
        self._error = self._raises.__enter__()
        return self

    def __exit__(self, *raised: object) -> bool:
        is_expected = self._raises.__exit__(*raised)
        assert self._error.value.type == self._kind
        return bool(is_expected)


refused = Refused
