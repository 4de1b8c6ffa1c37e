"""Values of the fields of messages, drawn: any that the schemas let stand there."""

import string
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from bacen.wire import AccountId, CashOut, CashPart, Tax, TaxRecord

OUR_ISPB = "12345678"

ispbs = st.text("0123456789ABCXYZ", min_size=8, max_size=8)
alphanumerics = string.ascii_letters + string.digits
# Exclusive C14N writes exactly what XML allows: every such character, the special ones often.
characters = st.one_of(
    st.sampled_from("&<>\"'\r\n\t ]é€😀\x85\u2028"),
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
)
instants = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001 - the zone comes with timezones=
    datetime(2099, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
cents = st.integers(0, 10**18 - 1)
tax_ids = st.from_regex(r"[0-9]{11}|[0-9A-Z]{12}[0-9]{2}", fullmatch=True)
accounts = st.builds(
    AccountId,
    st.text(string.digits + string.ascii_uppercase, min_size=1, max_size=20),
    st.sampled_from(["CACC", "OTHR", "SLRY", "SVGS", "TRAN"]),
    st.none() | st.text(string.digits, min_size=1, max_size=4),
)


def texts(size: int) -> st.SearchStrategy[str]:
    return st.text(characters, min_size=1, max_size=size)


def message_ids() -> st.SearchStrategy[str]:
    return st.builds("M{}{}".format, ispbs, st.text(alphanumerics, min_size=23, max_size=23))


def payment_ids(letters: str = "E") -> st.SearchStrategy[str]:
    tail = st.text(alphanumerics, min_size=11, max_size=11)
    minutes = instants.map(lambda at: f"{at:%Y%m%d%H%M}")
    return st.builds("{}{}{}{}".format, st.sampled_from(letters), ispbs, minutes, tail)


tax_records = st.builds(TaxRecord, st.sampled_from(["CBSSPLIT", "IBSSPLIT"]), cents)
taxes = st.builds(
    Tax,
    st.text(alphanumerics, min_size=1, max_size=50),
    st.tuples(tax_records, tax_records),
)
cash_outs = st.builds(
    CashOut,
    st.sampled_from(["AGFSS", "AGTEC", "AGTOT"]),
    ispbs,
    st.lists(
        st.builds(CashPart, st.sampled_from(["VLCP", "VLDN"]), cents),
        min_size=1,
        max_size=2,
        unique_by=lambda part: part.reason,
    ).map(tuple),
)
times = st.times(timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, fold=0)
)
days = st.dates(date(1000, 1, 1))
