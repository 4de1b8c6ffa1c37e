"""Each rule of the catalogue by its name: messages that keep all, and a change that breaks one."""

import re
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from bacen import RuleBroken
from bacen.simulator.receivers import RECEIVER_REASONS
from bacen.simulator.watching import kind_of
from bacen.validation import REASONS_OF_PARTICIPANTS, RULES, check, message_rule, validate
from bacen.wire import (
    STATUS_REASONS,
    AccountId,
    AnswerStep,
    CancellationStep,
    Message,
    Reda014,
    Reda022,
    Reda031,
    ReportPeriod,
    Signer,
    Tax,
    TaxRecord,
    encode,
    read_unsigned,
)
from tests.bacen.rule_messages import (
    CASH,
    CASH_ONLY,
    CNPJ,
    COMPANIES,
    CONTACT,
    CPF,
    DIRECTOR,
    E2E,
    OTHER,
    RTR,
    TAX,
    answered,
    asked,
    cancellation,
    cancellation_answer,
    cancelled,
    charge_answer,
    charged,
    mandate_answer,
    manual,
    modified,
    payment,
    receipt,
    reported,
    request_steps,
    returned,
    status,
    taxes,
)
from tests.bacen.wire_messages import (
    AT,
    OUR_ISPB,
    camt060,
    header,
    pacs002,
    pacs004,
    pacs008,
    payment_return,
    transfer,
)

RIGHT = [
    payment(),
    manual(),
    manual(purpose="REFU"),
    manual(purpose="IPRT", instruction_id=E2E),
    manual(tax=TAX, **COMPANIES),
    payment(local_instrument="QRES", transaction_id="t" * 25, purpose="GSCB", cash=CASH),
    payment(local_instrument="APES", purpose="OTHR", cash=CASH_ONLY),
    payment(local_instrument="QRDN", transaction_id="t" * 26),
    payment(local_instrument="APDN", transaction_id="t" * 35),
    payment(local_instrument="INIC", transaction_id="t", initiator_cnpj=CNPJ),
    manual(local_instrument="AUTO", transaction_id="t"),
    pacs002(),
    answered(),
    answered(status="RJCT", reasons=("AC03", "ED05"), additional=("x",)),
    answered(status="RJCT", original_instruction_id=RTR, reasons=("AB11",)),
    returned(),
    returned(reason="FR01", end_to_end_id=f"E{OTHER}202501011435{'b' * 11}"),
    returned(end_to_end_id=f"E{OTHER}202613011435{'b' * 11}"),
    returned(end_to_end_id=f"E{OTHER}202606300234{'b' * 11}"),  # may have settled 13 hours later
    camt060(),
    camt060(report="camt.054", entry_id=E2E, balance_type=None),
    camt060(report="camt.052", balance_type="TRD", period=ReportPeriod(AT.date())),
    camt060(period=ReportPeriod(AT.date(), AT.date(), AT.timetz(), AT.timetz())),
    reported(),
    reported(scenario="BOK2", creditor_ispb=OTHER, local_instrument="MANU", creditor_key=None),
    receipt(),
    receipt(status="RJCT", reason="AM01"),
    Reda014(**header(), direct_ispb=OUR_ISPB, indirect_cnpj=CNPJ),
    status(),
    status(status="QUED", reason="IND2", participant_ispb=None),
    modified(),
    Reda031(**header(), indirect_ispb=OTHER),
    asked(),
    asked(last_on=date(2026, 10, 1), limit_is_floor=True, limit_cents=5),
    cancelled(),
    cancelled(steps=()),
    mandate_answer(),
    mandate_answer(is_accepted=False, reason="AP13"),
    charged(),
    charged(attempt="NTAG", execute_at=None, due_on=AT.date()),
    charged(tax_records=taxes(("CBSSPLIT", "INF", 1000), ("IBSSPLIT", "INF", 50))),
    charged(
        tax_records=taxes(("CBSSPLIT", "INF", 9000), ("IBSSPLIT", "INF", 1), ("CBSSPLIT", "COR", 2))
    ),
    charge_answer(),
    charge_answer(status="RJCT", reason="AM02"),
    cancellation(),
    cancellation(type="DHIP", reason="CCLD"),
    cancellation_answer(),
    cancellation_answer(status="RJCR", type="DHRC", reason="PRJL"),
]
DAY = timedelta(days=1)
WRONG = [
    (pacs008(service_level="PAGAGD"), "service_level_fits_priority", "CH16"),
    (pacs008(declared_count=9), "number_of_payments", "AM18"),
    (pacs008(count=11), "number_of_payments", "AM18"),
    (payment(end_to_end_id=E2E.replace("0928", "0927")), "end_to_end_id_within_12_hours", "FF08"),
    (payment(amount_cents=0), "amount_above_zero", "AM01"),
    (payment(creditor_ispb=OUR_ISPB), "participants_differ", "AG12"),
    (manual(creditor_key="k"), "local_instrument_manu_forbids_proxy", "CH16"),
    (manual(transaction_id="t"), "local_instrument_manu_forbids_txid", "CH16"),
    (payment(creditor_key=None), "local_instrument_dict_needs_proxy", "CH16"),
    (payment(transaction_id="t"), "local_instrument_dict_forbids_txid", "CH16"),
    *(
        (
            payment(local_instrument=code, **changes),
            f"local_instrument_{code.lower()}_{rule}",
            "CH16",
        )
        for codes, changes, rule in (
            ("QRES APES", {"creditor_key": None}, "needs_proxy"),
            ("QRES APES", {"transaction_id": "t" * 26}, "limits_txid"),
            ("QRDN APDN INIC", {"creditor_key": None}, "needs_proxy"),
            ("QRDN APDN INIC", {}, "needs_txid"),
            ("INIC", {"transaction_id": "t"}, "needs_initiator"),
            ("AUTO", {}, "forbids_proxy"),
            ("AUTO", {"creditor_key": None}, "needs_txid_or_initiator"),
            ("AUTO", {"creditor_key": None, "purpose": "REFU"}, "needs_ipay"),
        )
        for code in codes.split()
    ),
    (payment(cash=CASH), "purpose_ipay_forbids_cash", "CH16"),
    (payment(purpose="IPRT", cash=CASH), "purpose_iprt_forbids_cash", "CH16"),
    (payment(purpose="REFU", cash=CASH), "purpose_refu_forbids_cash", "CH16"),
    (payment(purpose="GSCB"), "purpose_gscb_needs_cash", "CH16"),
    (payment(purpose="OTHR"), "purpose_othr_needs_cash", "CH16"),
    (payment(purpose="REFU"), "purpose_refu_needs_manu", "CH16"),
    (payment(purpose="IPRT"), "purpose_iprt_needs_manu", "CH16"),
    (manual(purpose="IPRT"), "purpose_iprt_needs_root_payment", "CH16"),
    (manual(purpose="REFU", instruction_id=E2E), "purpose_refu_forbids_root_payment", "CH16"),
    *(
        (
            payment(purpose=purpose, cash=CASH, instruction_id=E2E),
            f"purpose_{purpose.lower()}_forbids_root_payment",
            "CH16",
        )
        for purpose in ("GSCB", "OTHR")
    ),
    (manual(tax=TAX), "tax_between_companies", "RR06"),
    (
        payment(tax=TAX, local_instrument="QRDN", transaction_id="t" * 26, **COMPANIES),
        "tax_fits_local_instrument",
        "RR06",
    ),
    (
        manual(tax=Tax("n", (TaxRecord("CBSSPLIT", 1),) * 2), **COMPANIES),
        "tax_has_one_record_each",
        "RR06",
    ),
    (manual(tax=TAX, amount_cents=2, **COMPANIES), "tax_within_amount", "AM23"),
    (
        pacs008(
            transfers=(transfer(local_instrument="MANU", creditor_key=None, purpose="REFU"),),
            priority="NORM",
            service_level="PAGFRD",
        ),
        "purpose_refu_iprt_needs_high",
        "CH16",
    ),
    (payment(purpose="GSCB", cash=CASH_ONLY), "purpose_gscb_needs_both_parts", "FF07"),
    (payment(purpose="OTHR", cash=CASH), "purpose_othr_needs_cash_only", "FF07"),
    (payment(purpose="GSCB", cash=CASH, amount_cents=9), "cash_parts_make_the_amount", "AM12"),
    (answered(status="ACSC"), "status_of_a_participant", "admi.002"),
    (answered(status="ACCC", settled_at=AT), "status_of_a_participant", "admi.002"),
    (answered(status="RJCT"), "reason_with_rejection_only", "admi.002"),
    (answered(reasons=("AC03",)), "reason_with_rejection_only", "admi.002"),
    (answered(status="RJCT", reasons=("AC03", "AB03")), "reason_of_a_participant", "admi.002"),
    (answered(settled_at=AT), "settlement_told_by_spi_only", "admi.002"),
    (answered(settlement_date=AT.date()), "settlement_told_by_spi_only", "admi.002"),
    (pacs004(declared_count=9), "number_of_returns", "AM18"),
    (pacs004(count=11), "number_of_returns", "AM18"),
    (returned(return_id=RTR.replace(OUR_ISPB, OTHER)), "return_id_of_the_receiver", "FF08"),
    (returned(amount_cents=0), "amount_above_zero", "AM01"),
    (returned(return_id=RTR.replace("0928", "0927")), "return_id_within_12_hours", "FF08"),
    (
        returned(end_to_end_id=f"E{OTHER}202606281435{'b' * 11}"),
        "return_within_90_days",
        "DT05",
    ),
    (returned(debtor_ispb=OUR_ISPB), "participants_differ", "AG12"),
    (camt060(owner_ispb=OTHER), "question_about_own_account", "admi.002"),
    (camt060(balance_type="TRD"), "balance_type_fits_report", "admi.002"),
    (camt060(balance_type=None), "balance_type_fits_report", "admi.002"),
    (camt060(entry_id=E2E), "entry_id_with_camt_054_only", "admi.002"),
    (camt060(report="camt.054", balance_type=None), "entry_id_with_camt_054_only", "admi.002"),
    (
        camt060(period=ReportPeriod(AT.date(), AT.date() - DAY)),
        "period_ends_after_it_begins",
        "admi.002",
    ),
    (
        camt060(
            period=ReportPeriod(AT.date(), None, AT.timetz(), (AT - timedelta(hours=1)).timetz())
        ),
        "period_ends_after_it_begins",
        "admi.002",
    ),
    (reported(amount_cents=0), "amount_above_zero", "AM01"),
    (reported(creditor_ispb=OTHER), "scenario_fits_participants", "RC10"),
    (reported(scenario="BOK2"), "scenario_fits_participants", "RC10"),
    (reported(creditor_key=None), "proxy_fits_local_instrument", "ED05"),
    (reported(local_instrument="AUTO"), "proxy_fits_local_instrument", "ED05"),
    (
        reported(creditor_account=AccountId("1", "SLRY")),
        "salary_account_receives_nothing",
        "ED05",
    ),
    (reported(settled_at=AT - 31 * DAY), "reported_within_30_days", "FF08"),
    (receipt(reason="AM01"), "reason_with_rejection_only", "admi.002"),
    (receipt(status="RJCT"), "reason_with_rejection_only", "admi.002"),
    (
        Reda014(**header(), direct_ispb=OTHER, indirect_cnpj=CNPJ),
        "direct_participant_is_sender",
        "DIR2",
    ),
    (status(status="REJT", participant_ispb=None), "reason_unless_done", "admi.002"),
    (status(reason="IND2"), "reason_unless_done", "admi.002"),
    (status(participant_ispb=None), "participant_when_done", "admi.002"),
    (modified(direct_ispb=OTHER), "own_data_only", "ATC7"),
    (modified(left_out=0, doubled=3), "modification_contact", "CTT9"),
    (modified(left_out=1, doubled=3), "modification_director", "DI11"),
    (modified(left_out=2, doubled=3), "modification_keyword", "PCH8"),
    (modified(left_out=3, doubled=2), "modification_keyword", "PCH8"),
    (
        modified(contact={**CONTACT, "responsibility": "DIRETORPSP"}),
        "responsibility_fits_contact",
        "RP13",
    ),
    (
        modified(director={**DIRECTOR, "telephone_3": "+1-1"}),
        "director_without_third_telephone",
        "admi.002",
    ),
    (Reda031(**header(), indirect_ispb=OUR_ISPB), "indirect_is_not_sender", "DIR1"),
    (asked(creditor_tax_id=CPF), "creditor_is_company", "AP06"),
    (asked(last_on=date(2026, 9, 30)), "mandate_ends_after_it_begins", "CH16"),
    (
        asked(amount_cents=1, limit_is_floor=False, limit_cents=5),
        "limit_or_fixed_amount",
        "CH16",
    ),
    (asked(steps=request_steps("CRAT", "CRTN", "EXPR")), "mandate_steps_in_order", "CH16"),
    (cancelled(originator_tax_id="1" * 11), "originator_is_a_party", "AP10"),
    (cancelled(issuer_ispb="87654321"), "issuer_is_a_participant", "CH16"),
    (cancelled({"creditor_tax_id": "1" * 11}), "creditor_is_company", "AP06"),
    (cancelled({"last_on": date(2026, 9, 30)}), "mandate_ends_after_it_begins", "CH16"),
    (
        cancelled(steps=(CancellationStep(type="CRTN", at=AT),) * 2),
        "mandate_steps_in_order",
        "CH16",
    ),
    (mandate_answer(reason="AP13"), "reason_with_rejection_only", "admi.002"),
    (mandate_answer(is_accepted=False), "reason_with_rejection_only", "admi.002"),
    (
        mandate_answer(steps=(AnswerStep(type="AUT1", at=AT),) * 2),
        "mandate_steps_differ",
        "admi.002",
    ),
    (charged(7), "number_of_charges", "GRER"),
    (charged(amount_cents=0), "charge_above_zero", "AM09"),
    (charged(creditor_tax_id=CPF), "creditor_is_company", "CRNC"),
    (charged(execute_at=None), "execution_time_with_first_attempt", "GRER"),
    (charged(attempt="RIFL"), "execution_time_with_first_attempt", "GRER"),
    (charged(due_on=AT.date() + 11 * DAY), "charge_at_most_10_days_ahead", "FCD1"),
    (charged(due_on=AT.date() + DAY), "charge_at_least_2_days_ahead", "FCD2"),
    (
        charged(
            debtor_tax_id=CPF, tax_records=taxes(("CBSSPLIT", "INF", 1), ("IBSSPLIT", "INF", 1))
        ),
        "tax_of_companies_only",
        "GRER",
    ),
    (
        charged(tax_records=taxes(("CBSSPLIT", "INF", 1), ("IBSSPLIT", "INF", 1050))),
        "tax_declared_once_within_amount",
        "GRER",
    ),
    (
        charged(tax_records=taxes(("CBSSPLIT", "INF", 1), ("IBSSPLIT", "COR", 1))),
        "tax_declared_once_within_amount",
        "GRER",
    ),
    (charge_answer(status="RJCT"), "reason_with_rejection_only", "admi.002"),
    (charge_answer(reason="AM02"), "reason_with_rejection_only", "admi.002"),
    (cancellation(reason="FAIL"), "cancellation_reason_fits_type", "CH16"),
    (cancellation(recipient_ispb=OUR_ISPB), "cancellation_between_two", "CH16"),
    (cancellation_answer(type="DHRC"), "cancellation_type_fits_status", "admi.002"),
    (cancellation_answer(reason="PRJL"), "reason_with_rejection_only", "admi.002"),
]


@pytest.mark.parametrize("message", RIGHT)
def test_message_that_keeps_the_rules_may_be_sent(message: Message, our_signer: Signer) -> None:
    check(message)

    assert validate(encode(message, our_signer)).violations == ()


@pytest.mark.parametrize(("message", "name", "code"), WRONG, ids=[name for _, name, _ in WRONG])
def test_broken_rule_is_named_before_the_message_is_sent(
    message: Message, name: str, code: str, our_signer: Signer
) -> None:
    with pytest.raises(RuleBroken) as refused:
        check(message)

    assert (refused.value.rule, refused.value.code) == (name, code)
    assert (name, code) in {(each.name, each.code) for each in RULES[type(message)]}
    found = validate(encode(message, our_signer)).violations
    assert [(each.rule, each.name, each.code) for each in found[:1]] == [("business", name, code)]
    assert found[0].path == f"/Envelope/Document/{refused.value.path}"


def test_every_rule_has_a_message_that_breaks_it() -> None:
    broken = {(type(message), name) for message, name, _ in WRONG}
    rules = {(kind, each.name) for kind, each_rule in RULES.items() for each in each_rule}

    # The message of this one breaks another rule before.
    assert rules - broken == {(Reda022, "modification_cpf")}


def test_page_lists_every_rule_in_its_order() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spi-messages.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z]+\.\d{3}) \| `(\w+)` \| (\S+) \| (.*) \|$", page, re.MULTILINE)

    assert rows == [
        (kind_of(kind), each.name, each.code, each.text)
        for kind, rules in RULES.items()
        for each in rules
    ]


def test_rules_of_one_kind_have_names_of_their_own() -> None:
    for rules in RULES.values():
        assert len({each.name for each in rules}) == len(rules)


def test_reasons_of_participants_are_those_that_the_spi_does_not_raise() -> None:
    assert RECEIVER_REASONS < REASONS_OF_PARTICIPANTS < STATUS_REASONS
    assert not REASONS_OF_PARTICIPANTS & {"AB03", "AM04", "CH16", "FF08", "RC09"}


def test_place_names_the_part_where_there_are_several() -> None:
    message = pacs004(returns=(payment_return(), payment_return(1, amount_cents=0)))

    with pytest.raises(RuleBroken) as refused:
        check(message)

    assert refused.value.path == "PmtRtr/TxInf[2]"


def test_every_broken_rule_of_a_message_is_found(our_signer: Signer) -> None:
    message = modified(left_out=3, doubled=2, direct_ispb=OTHER)

    found = validate(encode(message, our_signer)).violations

    assert [each.name for each in found] == [
        "own_data_only",
        "modification_keyword",
        "modification_cpf",
    ]
    assert msgspec.to_builtins(found[0])["name"] == "own_data_only"


def test_rule_of_all_payments_is_that_of_the_message() -> None:
    assert message_rule(pacs008()) is None
    rule = message_rule(pacs008(priority="NORM"))
    assert rule is not None
    assert rule.name == "service_level_fits_priority"


def test_samples_made_by_the_catalogue_break_no_rule(reference_folder: Path) -> None:
    samples = sorted((reference_folder / "spi" / "samples").glob("constructed_*.xml"))

    for path in samples:
        check(read_unsigned(path.read_bytes()))
    assert len(samples) == 18
