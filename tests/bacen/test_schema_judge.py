"""The judge says what libxml2 says with the bank's schemas, and in addition where and why."""

import copy
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from bacen.wire import MESSAGE_BYTES_MAX, ReportPeriod, Signer, encode
from bacen.wire.schema import MESSAGES, VIOLATIONS_MAX, judge
from bacen.wire.schema.content import compile_content
from bacen.wire.schema.notation import parse_content
from tests.bacen.schema_documents import DS, Drawer, Oracle
from tests.bacen.schema_mutations import BYTE_MUTATIONS, MUTATIONS, write
from tests.bacen.wire_messages import (
    AT,
    admi002,
    camt060,
    pacs002,
    pacs004,
    pacs008,
    payment_return,
    pibr001,
    pibr002,
    report,
    transfer,
)

# Those that the reference has a schema of, so that libxml2 can judge them too.
WITH_SCHEMA = sorted(
    name
    for name in MESSAGES
    if name.startswith(("pacs.", "pibr.", "admi.002", "camt.052", "camt.053", "camt.060"))
)
KINDS = [each.__name__ for each in (*MUTATIONS, *BYTE_MUTATIONS)]
Source = Callable[[random.Random], etree._Element]


@pytest.fixture(scope="session")
def oracle(reference_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    return Oracle(reference_folder / "spi" / "xsd", tmp_path_factory.mktemp("schemas"))


@pytest.fixture(scope="session")
def source(reference_folder: Path, our_signer: Signer) -> Source:
    """Draw a document: from the tables, one of the samples with a signature, one of ours."""
    folder = reference_folder / "spi" / "samples"
    samples = [etree.parse(path).getroot() for path in sorted(folder.glob("*.xml"))]
    messages = (
        pacs008(count=2),
        pacs002(reports=(report(status="RJCT", reasons=("AB03", "AC03"), additional=("a",)),)),
        pacs008(transfers=(transfer(remittance=None, creditor_key=None),)),
        admi002(description="x", additional_data="y"),
        pacs004(returns=(payment_return(additional="a", remittance="b"), payment_return(1))),
        camt060(period=ReportPeriod(AT.date(), AT.date(), AT.timetz(), AT.timetz())),
        pibr001(),
        pibr002(),
    )
    ours = [etree.fromstring(encode(each, our_signer)) for each in messages]
    signature = next(ours[0].iter(f"{{{DS}}}Signature"))
    for sample in samples:
        next(sample.iter("{*}Sgntr")).append(copy.deepcopy(signature))

    def draw(rng: random.Random) -> etree._Element:
        if rng.random() < 0.5:
            return Drawer(rng.choice(WITH_SCHEMA), rng).envelope()
        return copy.deepcopy(rng.choice(rng.choice([samples, ours])))

    return draw


def changed(draw: Source, kind: str, rng: random.Random) -> bytes:
    """Write a document that was changed in one way, sometimes in others as well."""
    root = draw(rng)
    by_name = {each.__name__: each for each in MUTATIONS}
    chosen = [by_name[kind]] if kind in by_name else []
    chosen += rng.choices(MUTATIONS, k=rng.choice([0, 0, 0, 1, 2]))
    for mutation in chosen:
        try:
            mutation(root, rng)
        except ValueError:
            continue  # lxml does not hold such a text or name
    data = write(root, rng)
    for each in BYTE_MUTATIONS:
        if each.__name__ == kind:
            data = each(data, rng)
    return data


def disagreements(
    draw: Source, oracle: Oracle, kind: str, count: int
) -> tuple[list[bytes], Counter[bool]]:
    rng = random.Random(f"judge {kind}")
    seen: Counter[bool] = Counter()
    wrong = []
    for _ in range(count):
        data = changed(draw, kind, rng)
        is_valid = oracle.is_valid(data)
        seen[is_valid] += 1
        if is_valid != (judge(data) == []):
            wrong.append(data)
    return wrong, seen


@pytest.mark.parametrize("kind", KINDS)
def test_verdict_is_that_of_libxml2_whatever_is_changed(
    kind: str, source: Source, oracle: Oracle
) -> None:
    assert disagreements(source, oracle, kind, 40)[0] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_verdict_is_that_of_libxml2_in_twenty_thousand_cases(
    kind: str, source: Source, oracle: Oracle
) -> None:
    assert len(KINDS) * 500 >= 20_000
    assert disagreements(source, oracle, kind, 500)[0] == []


def test_cases_are_of_both_verdicts(source: Source, oracle: Oracle) -> None:
    """A comparison proves nothing where everything is broken."""
    assert len(KINDS) >= 26
    seen: Counter[bool] = Counter()
    for kind in ("space_around", "comment", "instance_hint", "other_number", "cdata", "around"):
        seen += disagreements(source, oracle, kind, 30)[1]

    assert min(seen[True], seen[False]) > 20


def test_documents_drawn_from_the_tables_are_valid(oracle: Oracle) -> None:
    rng = random.Random(7)
    for name in WITH_SCHEMA * 10:
        root = Drawer(name, rng).envelope()
        data = etree.tostring(root)
        assert oracle.is_valid(data) == (judge(data) == [])


def test_every_kind_has_documents_that_follow_its_table() -> None:
    rng = random.Random(8)
    for name in sorted(MESSAGES):
        drawn = (etree.tostring(Drawer(name, rng).envelope()) for _ in range(20))
        assert any(judge(data) == [] for data in drawn), name


@pytest.mark.parametrize("make", [pacs008, pacs002, admi002, pacs004, camt060, pibr001])
def test_message_that_we_write_is_valid(make: Callable[[], object], our_signer: Signer) -> None:
    assert judge(encode(make(), our_signer)) == []


@pytest.mark.parametrize(
    ("old", "new", "path", "rule"),
    [
        ("<ChrgBr>SLEV", "<ChrgBr>DEBT", "CdtTrfTxInf[1]/ChrgBr", "enumeration"),
        ("<ChrgBr>SLEV</ChrgBr>", "", "CdtTrfTxInf[1]/MndtRltdInf", "unexpected_element"),
        ("<Cd>IPAY</Cd>", "", "CdtTrfTxInf[1]/Purp", "missing_element"),
        ('Ccy="BRL">10.50', 'Ccy="BRL">10.501', "CdtTrfTxInf[1]/IntrBkSttlmAmt", "fraction_digits"),
        ('Ccy="BRL">10.50', f'Ccy="BRL">{"9" * 19}', "IntrBkSttlmAmt", "total_digits"),
        ('Ccy="BRL">10.50', 'Ccy="BRL">-1', "IntrBkSttlmAmt", "min_inclusive"),
        ('Ccy="BRL">10.50', 'Ccy="BRL">1e3', "IntrBkSttlmAmt", "value"),
        ('Ccy="BRL">10.50', ">10.50", "IntrBkSttlmAmt/@Ccy", "missing_attribute"),
        ('Ccy="BRL">10.50', 'Ccy="USD">10.50', "IntrBkSttlmAmt/@Ccy", "enumeration"),
        ("<GrpHdr>", '<GrpHdr a="1">', "GrpHdr/@a", "unexpected_attribute"),
        ("<GrpHdr>", "<GrpHdr>x", "GrpHdr", "unexpected_text"),
        ("<ChrgBr>SLEV", "<ChrgBr>SLEV<a/>", "ChrgBr/a", "unexpected_element"),
        ("<Nm>José", f"<Nm>{'é' * 140}", "Dbtr/Nm", "max_length"),
        ("T14:35:12.345Z</CreDt>", "T24:35:12.345Z</CreDt>", "AppHdr/CreDt", "value"),
        ("<CreDt>2026", "<CreDt>26", "AppHdr/CreDt", "pattern"),
    ],
)
def test_violation_names_the_place_and_the_rule(
    old: str, new: str, path: str, rule: str, our_signer: Signer
) -> None:
    text = encode(pacs008(count=2), our_signer).decode()
    assert old in text

    first = judge(text.replace(old, new, 1).encode())[0]

    assert first.path.endswith(f"/{path}")
    assert (first.rule, first.code) == (rule, "admi.002")


def test_violation_never_repeats_the_value(our_signer: Signer) -> None:
    text = encode(pacs008(count=1), our_signer).decode()

    found = judge(text.replace("52998224725", "segredo").encode())

    assert found
    assert "segredo" not in repr(found)


def test_cash_parts_of_the_same_reason_are_refused(our_signer: Signer) -> None:
    from bacen.wire import CashOut, CashPart

    cash = CashOut("AGTEC", "12345678", (CashPart("VLCP", 1), CashPart("VLDN", 2)))
    data = encode(pacs008(transfers=(transfer(cash=cash),)), our_signer)
    found = judge(data.replace(b"VLCP", b"VLDN"))

    assert judge(data) == []
    assert [each.rule for each in found] == ["unique"]


def test_empty_signature_is_the_only_fault_of_the_samples(reference_folder: Path) -> None:
    samples = sorted((reference_folder / "spi" / "samples").glob("*.xml"))
    found = {path.name: judge(path.read_bytes()) for path in samples}

    assert len(found) == 23
    assert {(each[0].path, len(each)) for each in found.values()} == {("/Envelope/AppHdr/Sgntr", 1)}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
        b"<a>&x;</a>",
        b"<a>" + b" " * MESSAGE_BYTES_MAX + b"</a>",
        b"<a>" * 5_000 + b"</a>" * 5_000,
    ],
    ids=["empty", "cut", "doctype", "file", "utf-16", "entity", "large", "deep"],
)
def test_what_nobody_should_parse_is_one_violation(data: bytes) -> None:
    assert [(each.path, each.rule) for each in judge(data)] == [("/", "well_formed")]


@pytest.mark.parametrize(
    "data",
    [
        b"<Envelope/>",
        b'<Envelope xmlns="https://www.bcb.gov.br/pi/pacs.008/1.15"/>',
        b'<AppHdr xmlns="https://www.bcb.gov.br/pi/pacs.008/1.16"/>',
        b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>',
    ],
)
def test_root_of_no_message_is_unknown(data: bytes) -> None:
    assert [each.rule for each in judge(data)] == ["unknown_message"]


def test_large_heap_of_faults_gives_a_bounded_list(our_signer: Signer) -> None:
    data = encode(pacs008(count=150), our_signer).replace(b"SLEV", b"DEBT")

    assert len(judge(data)) == VIOLATIONS_MAX


@pytest.mark.parametrize(
    ("times", "counts"),
    [("{1,3}", "123"), ("{0,3}", "0123"), ("{2}", "2"), ("{2,4}", "234"), ("+", "12345")],
)
def test_element_may_stand_there_as_often_as_its_line_says(times: str, counts: str) -> None:
    automaton = compile_content(parse_content(f"a{times}:T"), lambda leaf: (leaf.name, None))

    def is_right(count: int) -> bool:
        state = automaton[0]
        for _ in range(count):
            if "a" not in state.named:
                return False
            state = automaton[state.named["a"][0]]
        return state.may_end

    assert [count for count in range(6) if is_right(count)] == [int(count) for count in counts]


@pytest.mark.parametrize("line", ["a:", "?", "a ( b", "a | ?", "a{x}", "(a))", "#"])
def test_line_that_breaks_the_notation_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"stand|notation|early"):
        parse_content(line)
