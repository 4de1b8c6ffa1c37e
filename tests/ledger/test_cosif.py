"""The chart of accounts and its codes."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import AccountCode
from ledger.cosif import (
    CHART,
    AccountType,
    CosifCode,
    InvalidChart,
    InvalidCode,
    Nature,
    NoRubric,
    OldStyleCode,
    check_digit,
    nature_of,
    rubric_of,
)
from ledger.cosif.chart import chart_from
from ledger.cosif.mapping import assignments_from

# Printed in public documents, computed by nobody here.
PUBLISHED = {
    "100000000": 9,
    "110000000": 2,
    "111100000": 8,
    "251150000": 4,
    "251990000": 8,
    "309710000": 6,
    "419500000": 7,
    "464101000": 8,
    "1111000": 6,
}
NEW_YEAR = date(2025, 1, 1)
digits = st.from_regex(r"[12346789][0-9]{8}", fullmatch=True)

GROUP = {
    "code": "1.0.0.00.00.00-9",
    "type": "asset",
    "nature": "debit",
    "valid_from": "2025-01-01",
    "valid_to": "",
    "name": "Ativo",
}
SUBGROUP = GROUP | {"code": "1.1.0.00.00.00-2"}
CUSTOMER = {
    "account_code": "CUSTOMER",
    "code": "1.1.0.00.00.00-2",
    "valid_from": "2025-01-01",
    "valid_to": "",
}


@pytest.mark.parametrize("code", PUBLISHED)
def test_check_digit_is_that_of_published_codes(code: str) -> None:
    assert check_digit(code) == PUBLISHED[code]


@given(digits)
def test_code_reads_back_in_both_forms(nine: str) -> None:
    code = CosifCode(nine)

    assert CosifCode.parse(str(code)) == code
    assert CosifCode.parse(code.ten_digits) == code


@given(digits, st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(nine: str, place: int, more: int) -> None:
    ten = CosifCode(nine).ten_digits
    wrong = ten[:place] + str((int(ten[place]) + more) % 10) + ten[place + 1 :]

    with pytest.raises(InvalidCode):
        CosifCode.parse(wrong)


def test_code_is_written_in_its_levels() -> None:
    code = CosifCode.parse("4641010008")

    assert str(code) == "4.6.4.10.10.00-8"
    assert (code.group, code.level) == (4, 5)
    assert str(code.parent) == f"4.6.4.10.00.00-{check_digit('464100000')}"


def test_group_has_nothing_above_it() -> None:
    assert CosifCode.parse("1.0.0.00.00.00-9").parent is None


def test_level_with_a_zero_before_it_is_counted_in_the_next_one_that_is_used() -> None:
    code = CosifCode.parse("3.0.9.71.00.00-6")

    assert code.parent is not None
    assert (code.parent.digits, str(code.parent.parent)[:3]) == ("309000000", "3.0")


@pytest.mark.parametrize("text", ["1.1.1.10.00-6", "11110006", "4.0.0.00.00-3"])
def test_code_of_before_2025_is_told_apart(text: str) -> None:
    with pytest.raises(OldStyleCode, match="ended in December 2024"):
        CosifCode.parse(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("4.0.0.00.00.00-3", "the check digit is 6, not 3"),
        ("5.0.0.00.00.00-3", "there is no group 5"),
        ("0000000000", "there is no group 0"),
        ("46410100080", "expected nine digits"),
        ("4.6.4.10.10.00", "expected nine digits"),
        ("4.6.41.0.10.00-8", "expected nine digits"),
        ("٤٦٤١٠١٠٠٠٨", "expected nine digits"),
        (" 4641010008", "expected nine digits"),
        ("", "expected nine digits"),
    ],
)
def test_text_that_is_no_code_says_why(text: str, problem: str) -> None:
    with pytest.raises(InvalidCode, match=problem):
        CosifCode.parse(text)


def test_selection_has_59_accounts_of_5_types_with_every_level_above() -> None:
    codes = {rubric.code for rubric in CHART.rubrics}

    assert len(CHART) == 59
    assert {rubric.type for rubric in CHART.rubrics} == set(AccountType)
    assert all(r.code.parent is None or r.code.parent in codes for r in CHART.rubrics)
    assert all(len(CHART.above(r)) == r.code.level - 1 for r in CHART.rubrics)


def test_only_accounts_with_nothing_below_them_are_analytic() -> None:
    children = Counter(rubric.code.parent for rubric in CHART.rubrics)

    assert all(rubric.is_analytic == (children[rubric.code] == 0) for rubric in CHART.rubrics)


def test_reducing_account_has_the_other_nature_of_its_type() -> None:
    reducing = [r for r in CHART.rubrics if r.type is AccountType.ASSET and r.nature != "debit"]

    assert [rubric.name[:3] for rubric in reducing] == ["(-)"]


@pytest.mark.parametrize("code", AccountCode)
def test_every_account_code_has_one_analytic_rubric_from_2025_on(code: AccountCode) -> None:
    rubric = rubric_of(code, NEW_YEAR)

    assert rubric.is_analytic
    assert rubric.nature is nature_of(code)
    assert rubric_of(code, date(2099, 12, 31)).is_valid_on(date(2099, 12, 31))


def test_account_code_has_no_rubric_before_the_codes_were_in_use() -> None:
    with pytest.raises(NoRubric, match="account code 1 has no COSIF rubric on 2024-12-31"):
        rubric_of(AccountCode.CUSTOMER, NEW_YEAR - timedelta(days=1))


def test_number_that_is_no_account_code_has_no_rubric() -> None:
    with pytest.raises(NoRubric):
        rubric_of(9_999, NEW_YEAR)
    with pytest.raises(NoRubric, match=r"account code 9999 has no COSIF rubric$"):
        nature_of(9_999)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([GROUP | {"code": "1.0.0.00.00.00-1"}], "the check digit is 9"),
        ([GROUP | {"code": "1.0.0.00.00-7"}], "ended in December 2024"),
        ([GROUP, GROUP], "there twice"),
        ([SUBGROUP], "above it is missing"),
        ([GROUP | {"type": "liability"}], "group 1 is not of type liability"),
        ([GROUP | {"code": "3.0.0.00.00.00-7"}], "group 3 is not of type asset"),
        ([GROUP | {"type": "thing"}], "'thing' is not a valid AccountType"),
        ([GROUP | {"nature": "credit"}], "only an account named"),
        ([GROUP | {"name": "(-) Ativo"}], "only an account named"),
        ([GROUP | {"valid_from": "January"}], "Invalid isoformat"),
        ([GROUP | {"valid_to": "2024-12-31"}], "ends before it begins"),
        ([GROUP | {"valid_from": "2026-01-01"}, SUBGROUP], "valid for a shorter time"),
        ([GROUP | {"valid_to": "2026-01-01"}, SUBGROUP], "valid for a shorter time"),
    ],
)
def test_chart_that_contradicts_itself_is_refused(rows: list[dict[str, str]], problem: str) -> None:
    with pytest.raises(InvalidChart, match=problem):
        chart_from(rows)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([CUSTOMER | {"account_code": "NOBODY"}], "there is no such account code"),
        ([CUSTOMER | {"code": "1.0.0.00.00.00-9"}], "no analytic rubric"),
        ([CUSTOMER | {"code": "1.2.0.00.00.00-5"}], "no analytic rubric"),
        ([CUSTOMER | {"code": "1.1.0.00.00.00-3"}], "the check digit is 2"),
        ([CUSTOMER | {"valid_from": "2024-12-31"}], "valid for a shorter time"),
        ([CUSTOMER | {"valid_from": "soon"}], "Invalid isoformat"),
        ([CUSTOMER, CUSTOMER | {"valid_from": "2026-01-01"}], "two rubrics at a time"),
        (
            [
                CUSTOMER | {"valid_to": "2025-12-31"},
                CUSTOMER | {"valid_from": "2026-01-01", "code": "1.8.0.00.00.00-3"},
            ],
            "differ in nature",
        ),
    ],
)
def test_assignment_that_does_not_fit_the_chart_is_refused(
    rows: list[dict[str, str]], problem: str
) -> None:
    reducing = {"code": "1.8.0.00.00.00-3", "nature": "credit", "name": "(-) Perdas"}
    chart = chart_from([GROUP, SUBGROUP, GROUP | reducing])

    with pytest.raises(InvalidChart, match=problem):
        assignments_from(rows, chart)


def test_assignment_may_change_from_one_day_to_the_next() -> None:
    chart = chart_from([GROUP, SUBGROUP, GROUP | {"code": "1.8.0.00.00.00-3"}])
    rows = [
        CUSTOMER | {"valid_from": "2026-01-01", "code": "1.8.0.00.00.00-3"},
        CUSTOMER | {"valid_to": "2025-12-31"},
    ]

    first, second = assignments_from(rows, chart)[AccountCode.CUSTOMER]

    days: list[Any] = [date(2025, 12, 31), date(2026, 1, 1)]
    assert [first.is_valid_on(day) for day in days] == [True, False]
    assert [second.is_valid_on(day) for day in days] == [False, True]


@pytest.mark.parametrize(("nature", "expected"), [(Nature.DEBIT, -20), (Nature.CREDIT, 20)])
def test_balance_is_negative_on_the_wrong_side(nature: Nature, expected: int) -> None:
    assert nature.balance_cents(debits_cents=10, credits_cents=30) == expected
