"""Any request and answer of the DICT API, made from the structs themselves."""

import re
import string
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from hypothesis import strategies as st

from bacen import InvalidMessage
from bacen.dict import (
    Arrival,
    BlockFundsRecoveryRequest,
    Claim,
    Entry,
    NewClaim,
    NewEntry,
    Operation,
    Part,
    Person,
    WireRequest,
    forms,
)
from bacen.dict.part import Items, Slot, slots_of
from bacen.wire import Signer, sign_dict

KEYS = (
    ("CPF", "52998224725"),
    ("CNPJ", "12ABC34501DE35"),
    ("CNPJ", "11222333000181"),
    ("PHONE", "+5511999887766"),
    ("EMAIL", "fulano+d'ouro@exemplo.com.br"),
    ("EVP", "123e4567-e89b-12d3-a456-426655440000"),
)
_WIDE = st.characters(
    codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"
)
_LETTERS = string.ascii_letters + "ÀÖØöøÿ' -"
_LATIN = st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.characters(
    min_codepoint=0xA1, max_codepoint=0xFF
)
_ACCOUNT = string.digits + string.ascii_uppercase
_COUNTS = st.integers(0, forms.COUNT_MAX)
INSTANTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
    datetime(2999, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))


def _texts(alphabet: Any, least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=min(most, 60))


_STRATEGIES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (forms.Ispb, _texts(_ACCOUNT, 8, 8)),
    (forms.TaxId, st.sampled_from(["52998224725", "12ABC34501DE35"])),
    (forms.Key, st.sampled_from([key for _, key in KEYS])),
    (forms.Branch, _texts(string.digits, 1, 4)),
    (forms.AccountNumber, _texts(_ACCOUNT, 1, 20)),
    (forms.Name, _texts(_WIDE, 1, 150)),
    (forms.TradeName, _texts(_WIDE, 1, 100)),
    (forms.Text, _texts(_WIDE | st.sampled_from('\n\t&<>]"'), 1, 2000)),
    (forms.Cid64, st.integers(0, 2**256 - 1).map(lambda bits: f"{bits:064x}")),
    (forms.CorrelationId, _texts("0123456789abcdefABCDEF", 32, 32)),
    (forms.TransactionId, _texts(string.ascii_letters + string.digits, 32, 32)),
    (forms.ReportedTransactionId, _texts(string.ascii_letters + string.digits, 8, 32)),
    (forms.Email, st.sampled_from(["a%&b@exemplo.com.br", "x@y"])),
    (forms.Phone, st.sampled_from(["+5511999887766", "+00"])),
    (forms.Word, _texts(string.ascii_letters + string.digits + "_-.", 1, 100)),
    (forms.Cursor, _texts(_WIDE, 1, 1000)),
    (forms.Url, st.sampled_from(["https://dict.example/a?b=c&d", "http://h/x.cids"])),
    (forms.Cents, st.integers(0, forms.CENTS_MAX)),
    (forms.Count, _COUNTS),
    (forms.Balance, st.integers(-forms.COUNT_MAX, forms.COUNT_MAX)),
    (forms.PageSize, st.integers(1, 200)),
    (forms.Instant, INSTANTS),
    (forms.Flag, st.booleans()),
    (forms.Uuid, st.uuids(version=4)),
    (forms.Duration, st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))),
]
_BY_FORM = [(get_args(alias)[1], strategy) for alias, strategy in _STRATEGIES]


def parts(kind: type[Part]) -> st.SearchStrategy[Any]:
    """Any struct of a kind that keeps the rules between its fields."""
    own = _SPECIAL.get(kind)
    fields = {slot.name: _field(slot) for slot in slots_of(kind)}
    if own is not None:
        return own(fields)
    return _built(kind, fields)


def _built(
    kind: type[Part], fields: Mapping[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[Any]:
    def build(values: dict[str, Any]) -> Part | None:
        try:
            return kind(**values)
        except InvalidMessage:
            return None

    made = st.fixed_dictionaries(dict(fields)).map(build)
    return made.filter(lambda part: part is not None)


def _field(slot: Slot) -> st.SearchStrategy[Any]:
    one = parts(slot.part) if slot.part is not None else _single(slot)
    if isinstance(slot.place, Items):
        return st.lists(one, min_size=int(slot.is_compulsory), max_size=3).map(tuple)
    return st.none() | one if slot.is_optional else one


def _single(slot: Slot) -> st.SearchStrategy[Any]:
    found = next((strategy for form, strategy in _BY_FORM if form is slot.form), None)
    if found is not None:
        return found
    assert slot.form is not None
    return st.sampled_from(slot.form.rule.removeprefix("one of ").split(", "))


def _person(fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    del fields
    natural = st.builds(
        Person,
        type=st.just("NATURAL_PERSON"),
        tax_id_number=st.just("52998224725"),
        name=_texts(_LETTERS, 1, 150),
    )
    legal = st.builds(
        Person,
        type=st.just("LEGAL_PERSON"),
        tax_id_number=st.just("12ABC34501DE35"),
        name=_texts(_LATIN, 1, 150),
        trade_name=st.none() | _texts(_LATIN, 1, 100).filter(lambda name: set(name) != {"*"}),
    )
    return natural | legal


def _keyed(kind: type[Part]) -> Callable[[Mapping[str, Any]], st.SearchStrategy[Any]]:
    def make(fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
        rest = {name: each for name, each in fields.items() if name not in ("key", "key_type")}
        return st.sampled_from(KEYS).flatmap(
            lambda pair: _built(
                kind, {**rest, "key_type": st.just(pair[0]), "key": st.just(pair[1])}
            )
        )

    return make


def _block(fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    ids = _texts(string.ascii_letters, 32, 32)
    listed = {
        **fields,
        "prioritization_strategy": st.just("TRANSACTION_LIST"),
        "transactions": st.lists(ids, min_size=1, max_size=3).map(tuple),
    }
    standard = {
        **fields,
        "prioritization_strategy": st.just("STANDARD_ALGORITHM"),
        "transactions": st.just(()),
    }
    return _built(BlockFundsRecoveryRequest, listed) | _built(BlockFundsRecoveryRequest, standard)


_SPECIAL: dict[type[Part], Callable[[Mapping[str, Any]], st.SearchStrategy[Any]]] = {
    Person: _person,
    NewEntry: _keyed(NewEntry),
    Entry: _keyed(Entry),
    NewClaim: _keyed(NewClaim),
    Claim: _keyed(Claim),
    BlockFundsRecoveryRequest: _block,
}


def arrive(operation: Operation[Any, Any], wire: WireRequest, signer: Signer) -> Arrival:
    """Sign a request, and take it apart as a server does that knows the template of its path."""
    body = wire.body or b""
    split = urlsplit(wire.target)
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))
    found = re.fullmatch(pattern, split.path)
    assert found is not None, (pattern, split.path)
    return Arrival(
        path={name: unquote(value) for name, value in found.groupdict().items()},
        query=parse_qsl(split.query, keep_blank_values=True, strict_parsing=bool(split.query)),
        headers=wire.headers,
        body=sign_dict(body, signer) if operation.is_signed else body,
    )


def smallest(kind: type[Part]) -> Any:
    """One struct of a kind, the same each time, with nothing in it that may be left out."""
    slots = slots_of(kind)
    is_keyed = any(slot.name == "key_type" for slot in slots)
    values = {
        slot.name: _smallest_value(kind, slot)
        for slot in slots
        if slot.is_compulsory or (is_keyed and slot.name == "key")
    }
    return kind(**values)


def _smallest_value(kind: type[Part], slot: Slot) -> Any:
    special = {"key_type": "PHONE", "key": "+5511999887766"}
    if slot.name in special:
        return special[slot.name]
    one = smallest(slot.part) if slot.part is not None else _smallest_single(kind, slot)
    return (one,) if isinstance(slot.place, Items) else one


def _smallest_single(kind: type[Part], slot: Slot) -> Any:
    examples: list[tuple[Any, Any]] = [
        (forms.Ispb, "12345678"),
        (forms.TaxId, "52998224725"),
        (forms.Key, "+5511999887766"),
        (forms.AccountNumber, "1"),
        (forms.Name, "Fulano"),
        (forms.Cid64, "ab" * 32),
        (forms.CorrelationId, "ab" * 16),
        (forms.TransactionId, "E" * 32),
        (forms.ReportedTransactionId, "E" * 32),
        (forms.Email, "a@b.c"),
        (forms.Phone, "+551133334444"),
        (forms.Word, "word"),
        (forms.Cents, 1),
        (forms.Count, 1),
        (forms.Balance, 1),
        (forms.Instant, datetime(2026, 1, 10, tzinfo=UTC)),
        (forms.Flag, True),
        (
            forms.Uuid,
            msgspec.convert("a946d533-7f22-42a5-9a9b-e87cd55c0f4d", get_args(forms.Uuid)[0]),
        ),
    ]
    for alias, value in examples:
        if get_args(alias)[1] is slot.form:
            return value
    assert slot.form is not None, (kind, slot)
    codes = slot.form.rule.removeprefix("one of ").split(", ")
    return codes[0]
