"""Messages drawn from their layouts: any value that the schema lets stand in a field."""

import re
from datetime import date, datetime, time
from functools import cache
from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from bacen.wire import AccountId, CashOut, Message, TaxRecord
from bacen.wire.part import CHECKS, FieldCheck, OneOf
from tests.bacen.wire_values import (
    OUR_ISPB,
    accounts,
    cash_outs,
    characters,
    days,
    instants,
    ispbs,
    message_ids,
    tax_records,
    texts,
    times,
)

_OTHERS: dict[type, st.SearchStrategy[Any]] = {
    AccountId: accounts,
    CashOut: cash_outs,
    TaxRecord: tax_records,
}
_VALUES: dict[type, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(0, 10**15 - 1),  # fits an amount and a number
    date: days,
    datetime: instants,
    time: times,
}
_HEADER = {
    "sender": st.just(OUR_ISPB),
    "receiver": ispbs,
    "message_id": message_ids(),
    "created_at": instants,
}


@cache
def drawn(struct: type) -> st.SearchStrategy[Any]:
    """Draw a struct that the schema accepts."""
    return _OTHERS[struct] if struct in _OTHERS else _drawn(struct)


@st.composite
def _drawn(draw: st.DrawFn, struct: type) -> Any:
    hints, checks = get_type_hints(struct), {each.name: each for each in CHECKS[struct].each}
    present = {name: _present(check, hints[name]) for name, check in checks.items()}
    absent = {name: None if check.counts is None else () for name, check in checks.items()}
    values = {
        name: absent[name] if check.is_optional and draw(st.booleans()) else draw(present[name])
        for name, check in checks.items()
    }
    for group in CHECKS[struct].groups:
        if isinstance(group, OneOf):
            chosen = draw(st.sampled_from(group.names))
            values |= {name: absent[name] for name in group.names}
            values[chosen] = draw(present[chosen])
        elif any(values[name] == absent[name] for name in group.required):
            values |= {name: absent[name] for name in group.names}
    if issubclass(struct, Message):
        values |= {name: draw(strategy) for name, strategy in _HEADER.items()}
        counted = [each for each in values.values() if isinstance(each, tuple)]
        if values.get("declared_count") in map(len, counted):
            values["declared_count"] = None  # a count that is right is not kept
    return struct(**values)


def _present(check: FieldCheck, hint: Any) -> st.SearchStrategy[Any]:
    """Draw a value of a field that is there."""
    python = next((each for each in _VALUES if each in (hint, *get_args(hint))), str)
    if check.struct is not None:
        one = drawn(check.struct)
    else:
        one = _text(check) if python is str else _VALUES[python]
    if check.counts is None:
        return one
    least, most = check.counts
    size = least + 2 if most < 0 else most
    return st.lists(one, min_size=max(least, 1), max_size=size).map(tuple)


def _text(check: FieldCheck) -> st.SearchStrategy[str]:
    facets, narrower = check.schema
    assert check.kind is not None
    codes = [each.values for each in facets if each.values]
    patterns = [re.compile(each.pattern) for each in facets if each.pattern is not None]
    most = min(each.most or 1000 for each in facets)
    if codes:
        return st.sampled_from(codes[0].split())
    if not patterns:
        return texts(most)
    made = st.from_regex(narrower or patterns[0], fullmatch=True, alphabet=characters)
    return made.filter(lambda text: len(text) <= most)
