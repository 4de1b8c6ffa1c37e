"""`corrente brcode`, `dict`, `pix` and `bacen explain`, as a person and as a script use them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from corrente.toolbox_commands import add_toolbox

COMMAND_SECONDS = 120
PAGE = Path(__file__).parents[2] / "docs" / "toolbox-pix.md"
SHOWN = re.findall(r"```console\n\$ (.*?)\n(.*?)```", PAGE.read_text(), re.DOTALL)
PROGRAM = """
import typer
from corrente.toolbox_commands import add_toolbox

app, bacen_app = typer.Typer(pretty_exceptions_enable=False), typer.Typer()
add_toolbox(app, bacen_app)
app.add_typer(bacen_app, name="bacen")
app()
"""
STATIC = (
    "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-426655440000"
    "5204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D"
)
CPF_CODE = (
    "--name=Fulano de Tal",
    "--city=BRASILIA",
    "--key=529.982.247-25",
    "--amount=10.5",
)
ENTRY = {
    "request_id": "01020304-0506-0708-090a-0b0c0d0e0f10",
    "key_type": "PHONE",
    "key": "+5511999887766",
    "owner_tax_id": "52998224725",
    "owner_name": "José Fulano",
    "participant": "12345678",
    "branch": "0001",
    "account_number": "1000001",
    "account_type": "CACC",
}
E2E = "E12345678202601311234abcDEF01234"


class Done:
    """What a command printed, as JSON, and its exit code."""

    def __init__(self, arguments: tuple[str, ...], text: str | bytes | None) -> None:
        app, bacen_app = typer.Typer(), typer.Typer()
        add_toolbox(app, bacen_app)
        app.add_typer(bacen_app, name="bacen")
        result = CliRunner().invoke(app, arguments, input=text)
        self.code = result.exit_code
        self.text = result.stdout
        self.problem = result.stderr

    @property
    def verdict(self) -> dict[str, Any]:
        return json.loads(self.text)

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def rules(self) -> list[str]:
        return [rule["rule"] for rule in self.verdict["violations"]]


def run(*arguments: str, text: str | bytes | None = None) -> Done:
    return Done(arguments, text)


def jsonl(*lines: object) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture
def filter_process() -> Iterator[subprocess.Popen[str]]:
    """Run `brcode parse --lines` between two pipes."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "brcode", "parse", "--lines"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def test_code_is_read_from_standard_input_a_file_or_an_option(tmp_path: Path) -> None:
    file = tmp_path / "code.txt"
    file.write_text(STATIC + "\r\n")

    for done in (
        run("brcode", "parse", text=STATIC + "\n"),
        run("brcode", "parse", "-", text=STATIC),
        run("brcode", "parse", str(file)),
        run("brcode", "parse", "--text", STATIC),
    ):
        assert done.code == 0
        assert done.verdict["valid"] is True
        assert done.verdict["message"] == "static BR Code"
        assert done.verdict["code"]["key"] == "123e4567-e12b-12d1-a456-426655440000"


def test_wrong_code_ends_with_one_and_names_the_field() -> None:
    done = run("brcode", "parse", "--text", STATIC[:-1] + "0")

    assert (done.code, done.verdict["valid"]) == (1, False)
    assert done.verdict["violations"] == [
        {"path": "63", "rule": "crc_mismatch", "text": "is not the checksum of this text"}
    ]
    assert done.verdict["message"] == "63: is not the checksum of this text"


def test_strict_takes_a_bent_rule_for_broken() -> None:
    lower = STATIC[:-4] + STATIC[-4:].lower()

    lenient = run("brcode", "parse", "--text", lower)
    strict = run("brcode", "parse", "--strict", "--text", lower)

    assert lenient.code == 0
    assert [rule["rule"] for rule in lenient.verdict["deviations"]] == ["crc_lower_case"]
    assert (strict.code, strict.rules) == (1, ["crc_lower_case"])


def test_code_is_made_and_read_back() -> None:
    made = run("brcode", "make", *CPF_CODE, "--txid", "pedido1", "--postal-code", "70074900")
    read = run("brcode", "parse", "--strict", text=made.verdict["text"])

    assert made.code == read.code == 0
    assert read.verdict["code"] == {
        "kind": "static",
        "merchant_name": "Fulano de Tal",
        "merchant_city": "BRASILIA",
        "key": "52998224725",
        "amount": "10.50",
        "txid": "pedido1",
        "postal_code": "70074900",
        "is_single_use": False,
    }


def test_dynamic_composite_code_is_made() -> None:
    addresses = ("--location", "pix.example.com/qr/v2/a", "--recurrence", "pix.example.com/rec/b")
    made = run("brcode", "make", "--name", "Loja", "--city", "São Paulo", "--once", *addresses)

    assert made.code == 0
    read = run("brcode", "parse", "--text", made.verdict["text"]).verdict
    assert read["code"]["kind"] == "dynamic+recurrence"
    assert read["code"]["is_single_use"] is True


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (("--key", "52998224724"), "key"),
        (("--amount", "1,00"), "amount"),
        (("--amount", "0"), "54"),
        (("--txid", "a b"), "62/05"),
        (("--location", "a.b/c"), "26"),
    ],
)
def test_code_that_breaks_a_rule_is_not_made(change: tuple[str, str], path: str) -> None:
    done = run("brcode", "make", *CPF_CODE, *change)

    assert done.code == 1
    assert [rule["path"] for rule in done.verdict["violations"]] == [path]


def test_codes_are_made_line_by_line() -> None:
    order = {"name": "Loja", "city": "RECIFE", "key": "fulano@exemplo.com.br", "amount": "1.00"}
    lines = jsonl(
        {"id": 1, "text": order},
        {"id": 2, "text": {**order, "colour": "red"}},
        {"id": 3, "text": {**order, "amount": 1}},
        {"id": 4, "text": json.dumps(order)},
        {"id": 5, "text": "{"},
        {"id": 6, "text": None},
    )
    done = run("brcode", "make", "--lines", text=lines)

    assert done.code == 1
    assert [each["valid"] for each in done.verdicts] == [True, False, False, True, False, False]
    assert run("brcode", "parse", "--text", done.verdicts[0]["message"]).code == 0


def test_due_date_tells_the_last_payable_day() -> None:
    holidays = ("--holiday", "2020-12-25", "--holiday", "2021-01-01")
    done = run("brcode", "due", "2020-12-25", "--days-after", "4", *holidays)

    assert done.code == 0
    assert done.verdict["due_date"] == "2020-12-28"
    assert done.verdict["last_payable_day"] == "2021-01-04"
    assert run("brcode", "due", "9999-12-31").code == 1
    assert run("brcode", "due", "31/12/2026").code == 2


def test_cid_of_an_entry_is_computed_and_checked() -> None:
    done = run("dict", "cid", text=json.dumps(ENTRY))
    cid = done.verdict["cid"]
    right = run("dict", "cid", "--text", json.dumps({**ENTRY, "cid": cid.upper()}))
    wrong = run("dict", "cid", "--text", json.dumps({**ENTRY, "cid": "0" * 64}))

    assert (done.code, len(cid)) == (0, 64)
    assert right.code == 0
    assert (wrong.code, wrong.rules) == (1, ["cid_mismatch"])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"request_id": "not-a-uuid"}, "text"),
        ({"key": None}, "text"),
        ({"cid": "abc"}, "cid"),
        ({"colour": "red"}, "text"),
    ],
)
def test_refusal_of_an_entry_shows_nothing_of_it(change: dict[str, object], path: str) -> None:
    done = run("dict", "cid", "--text", json.dumps({**ENTRY, **change}))

    assert done.code == 1
    assert [rule["path"] for rule in done.verdict["violations"]] == [path]
    for value in ("5511999887766", "52998224725", "Fulano", "01020304"):
        assert value not in done.text + done.problem


def test_cids_are_computed_line_by_line() -> None:
    lines = jsonl({"id": "a", "text": ENTRY}, {"id": "b", "text": {}}, {"id": "c", "text": [1]})
    done = run("dict", "cid", "--lines", text=lines)

    assert done.code == 1
    assert [(each["id"], each["valid"]) for each in done.verdicts] == [
        ("a", True),
        ("b", False),
        ("c", False),
    ]
    assert done.verdicts[0]["message"] == run("dict", "cid", text=json.dumps(ENTRY)).verdict["cid"]


def test_vsync_of_a_file_grows_and_shrinks_with_it(tmp_path: Path) -> None:
    one, two, three = "01" * 32, "02" * 32, "04" * 32
    file = tmp_path / "cids.txt"
    file.write_text(f"{one}\n{two}\n\n{three.upper()}\n")
    whole = run("dict", "vsync", str(file))
    less = run("dict", "vsync", "--start", "07" * 32, text=f"{two}\n")

    assert (whole.code, whole.verdict["vsync"], whole.verdict["count"]) == (0, "07" * 32, 3)
    assert less.verdict["vsync"] == "05" * 32
    assert run("dict", "vsync", text="").verdict["vsync"] == "0" * 64
    assert run("dict", "vsync", "--text", f"{one} {two}").verdict["vsync"] == "03" * 32


def test_lines_of_a_file_that_are_no_cids_are_named() -> None:
    one = "01" * 32
    done = run("dict", "vsync", text=f"{one}\nabc\n{one}\n".encode() + b"\xff" * 300 + b"\n")

    assert done.code == 1
    assert [(rule["path"], rule["rule"]) for rule in done.verdict["violations"][:2]] == [
        ("line 2", "cid"),
        ("line 3", "cid_twice"),
    ]
    assert run("dict", "vsync", "--start", "abc", text="").code == 2


def test_file_of_nonsense_is_given_up_after_a_hundred_lines() -> None:
    done = run("dict", "vsync", text="x\n" * 10_000)

    assert done.code == 1
    assert len(done.verdict["violations"]) == 100


def test_sets_are_verified_line_by_line() -> None:
    lines = jsonl({"id": 1, "text": f"{'01' * 32} {'02' * 32}"}, {"id": 2, "text": "x"})
    done = run("dict", "vsync", "--lines", text=lines)

    assert (done.code, done.verdicts[0]["message"]) == (1, "03" * 32)


@pytest.mark.parametrize("kind", ["E", "D", "M", "RR", "RN", "SC", "TXID", "e"])
def test_identifiers_are_made_and_checked(kind: str) -> None:
    made = run("pix", "id", kind, "--ispb", "99999A04", "--count", "3").verdict["ids"]

    assert len(set(made)) == 3
    for each in made:
        assert run("pix", "id", kind, "--text", each, "--at", "now").code == 0


def test_identifier_says_whose_and_from_when_it_is() -> None:
    done = run("pix", "id", "E", text=E2E + "\n")

    assert done.verdict["message"] == "EndToEndId of 12345678, 2026-01-31 12:34 UTC"
    assert (done.verdict["ispb"], done.verdict["at"]) == ("12345678", "2026-01-31T12:34:00Z")


def test_identifier_that_is_wrong_or_late_is_explained() -> None:
    late = run("pix", "id", "E", "--text", E2E, "--at", "2026-02-01T00:35:00Z")
    wrong = run("pix", "id", "D", "--text", E2E)

    assert (late.code, late.rules) == (1, ["time_tolerance"])
    assert (wrong.code, wrong.rules) == (1, ["prefix"])
    assert run("pix", "id", "E", "--text", E2E, "--at", "2026-01-31T21:35:00-03:00").code == 1
    assert run("pix", "id", "E", "--ispb", "lower123").code == 1


def test_code_is_explained() -> None:
    done = run("bacen", "explain", "ab03")

    assert done.code == 0
    assert done.verdict["meanings"][0]["code"] == "AB03"
    assert done.verdict["message"].startswith("pacs.002 reason: Not settled")


def test_unknown_code_ends_with_one_and_near_codes() -> None:
    done = run("bacen", "explain", "AB04")
    lines = run("bacen", "explain", "--lines", text=jsonl({"id": 1, "text": "FRAD"}, {"text": "?"}))

    assert done.code == 1
    assert "AB03" in done.verdict["near"]
    assert "AB03" in done.verdict["message"]
    assert (lines.code, [each["valid"] for each in lines.verdicts]) == (1, [True, False])


@pytest.mark.parametrize(
    "arguments",
    [
        ("brcode", "parse", "no-such-file"),
        ("dict", "vsync", "."),
        ("brcode", "parse", "--text", "x", "--lines"),
        ("brcode", "make"),
        ("brcode", "make", "--lines", "--name", "x"),
        ("pix", "id"),
        ("pix", "id", "X"),
        ("pix", "id", "E", "--ispb", "12345678", "--lines"),
        ("pix", "id", "E", "--text", E2E, "--at", "noon"),
        ("pix", "id", "E", "--text", E2E, "--at", "2026-01-31T12:34:00"),
        ("bacen", "explain"),
        ("bacen", "explain", "AB03", "--lines"),
        ("dict", "nothing"),
    ],
)
def test_wrong_usage_ends_with_two_and_prints_nothing(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)

    assert (done.code, done.text) == (2, "")
    assert done.problem


@pytest.mark.parametrize(
    "command",
    [
        *("brcode parse", "brcode make", "brcode due", "dict cid", "dict vsync", "pix id"),
        "bacen explain",
    ],
)
def test_help_shows_examples(command: str) -> None:
    done = run(*command.split(), "--help")

    assert done.code == 0
    assert f"corrente {command}" in " ".join(done.text.split())


def test_line_that_cannot_be_read_gets_its_own_verdict_and_the_others_go_on() -> None:
    lines = [
        json.dumps({"id": "first", "text": STATIC}).encode(),
        b"{bad",
        b"[1]",
        b'{"id": {"a": 1.50}}',
        b'{"id": 3, "text": 4}',
        b'{"id": "\xff", "text": "x"}',
        b"[" * 100_000,
        b'{"id": 4, "text": "' + b"x" * (1 << 20) + b'"}',
        b"",
        json.dumps({"text": STATIC}).encode(),
    ]
    done = run("brcode", "parse", "--lines", text=b"\n".join(lines))
    rules = [rule["rule"] for each in done.verdicts for rule in each["violations"]]

    assert done.code == 1
    assert rules == [
        *("line_json", "line_json", "missing", "text", "line_json", "line_json", "line_length")
    ]
    assert [each["id"] for each in done.verdicts] == [
        *("first", None, None, {"a": 1.5}, 3, None, None, None, None)
    ]
    assert done.verdicts[-1]["valid"] is True
    assert set(done.verdicts[0]) == {"id", "valid", "message", "violations"}


def test_text_that_is_too_long_or_no_text_is_refused() -> None:
    assert run("brcode", "parse", text="0" * ((1 << 20) + 1)).rules == ["length"]
    assert run("brcode", "parse", text=b"\xff\xfe").rules == ["utf8"]
    assert run("brcode", "parse", text="").rules == ["payload_length"]


def test_thousand_lines_are_judged_in_order() -> None:
    lines = jsonl(*({"id": number, "text": STATIC} for number in range(1_000)))
    done = run("brcode", "parse", "--lines", text=lines)

    assert done.code == 0
    assert [each["id"] for each in done.verdicts] == list(range(1_000))


def test_each_verdict_comes_before_the_next_line(filter_process: subprocess.Popen[str]) -> None:
    assert filter_process.stdin is not None
    assert filter_process.stdout is not None
    for number in range(3):
        filter_process.stdin.write(jsonl({"id": number, "text": STATIC}))
        filter_process.stdin.flush()
        assert json.loads(filter_process.stdout.readline())["id"] == number
    filter_process.stdin.close()

    assert filter_process.wait(COMMAND_SECONDS) == 0


def test_reader_that_goes_away_ends_it_without_a_word(
    filter_process: subprocess.Popen[str],
) -> None:
    assert filter_process.stdout is not None
    assert filter_process.stderr is not None
    filter_process.stdout.close()
    _, problem = filter_process.communicate(jsonl({"id": 1, "text": STATIC}), COMMAND_SECONDS)

    assert (filter_process.returncode, problem) == (1, "")


@pytest.fixture
def shell_environment(tmp_path: Path) -> dict[str, str]:
    """Put a `corrente` with the toolbox on the path."""
    program = tmp_path / "corrente"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}")
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_command_of_the_page_prints_what_the_page_says(
    command: str, output: str, shell_environment: dict[str, str]
) -> None:
    done = subprocess.run(
        ["sh", "-c", command], env=shell_environment, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == (output, "")


def test_every_command_of_the_page_is_run() -> None:
    assert len(SHOWN) == PAGE.read_text().count("```console") > 0
