"""`corrente bacen validate`: exit codes, JSON, and a stream of lines."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from bacen.wire import KeyPair, LocalAuthority, encode
from corrente.bacen_validate_command import add_validate
from tests.bacen.wire_messages import OUR_ISPB, pacs008

app = typer.Typer()
app.add_typer(bacen_app := typer.Typer(), name="bacen")
add_validate(bacen_app)
PROGRAM = "import typer; from corrente.bacen_validate_command import bacen_validate as it; "


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    authority = LocalAuthority.create(tmp_path_factory.mktemp("pki"), now=datetime.now(UTC))
    return authority.participant(OUR_ISPB).signing


@pytest.fixture(scope="module")
def message(pair: KeyPair) -> str:
    return encode(pacs008(count=1), pair.signer()).decode()


def run(*arguments: str, text: str | bytes = "") -> Result:
    return CliRunner().invoke(app, ["bacen", "validate", *arguments], input=text)


def lines_of(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_valid_message_is_0_and_says_that_nobody_verified_it(message: str) -> None:
    result = run(text=message)

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "message": "pacs.008.spi.1.16",
        "valid": True,
        "signature": "unverified",
        "violations": [],
    }


def test_file_and_trusted_certificate(message: str, pair: KeyPair, tmp_path: Path) -> None:
    path = tmp_path / "message.xml"
    path.write_text(message)

    result = run(str(path), "--trust", str(pair.certificate))

    assert (result.exit_code, json.loads(result.stdout)["signature"]) == (0, "verified")


def test_invalid_message_is_1_and_each_violation_has_five_fields(message: str) -> None:
    result = run("-", text=message.replace("SLEV", "DEBT"))

    assert result.exit_code == 1
    assert json.loads(result.stdout)["violations"] == [
        {
            "path": "/Envelope/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/ChrgBr",
            "rule": "enumeration",
            "text": "must be one of SLEV",
            "code": "admi.002",
            "name": None,
        }
    ]


def test_schema_only_leaves_the_business_rules_out(message: str) -> None:
    text = message.replace("<NbOfTxs>1<", "<NbOfTxs>2<")

    assert run(text=text).exit_code == 1
    assert run("--schema-only", text=text).exit_code == 0


@pytest.mark.parametrize("arguments", [("nowhere.xml",), ("--nope",), ("--trust", "nowhere.pem")])
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_certificate_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    path = tmp_path / "x.pem"
    path.write_text("no certificate")

    assert run("--trust", str(path)).exit_code == 2


def test_help_has_examples() -> None:
    result = run("--help")

    assert result.exit_code == 0
    assert "corrente bacen validate" in result.stdout
    assert "--lines" in result.stdout


def test_every_line_gets_its_verdict_in_order(message: str) -> None:
    broken = message.replace("SLEV", "DEBT")
    text = "\n".join(
        [
            json.dumps({"id": 1, "xml": message}),
            "",
            json.dumps({"id": "b", "xml": broken}),
            json.dumps({"id": {"deep": [1]}, "xml": "<a/>", "more": 1}),
        ]
    )

    result = run("--lines", text=text)

    assert result.exit_code == 1
    found = lines_of(result)
    assert [each["id"] for each in found] == [1, "b", {"deep": [1]}]
    assert [each["valid"] for each in found] == [True, False, False]
    assert [each["message"] for each in found] == ["pacs.008.spi.1.16"] * 2 + [None]
    assert {tuple(each) for each in found} == {("id", "valid", "message", "violations")}


@pytest.mark.parametrize(
    ("line", "line_id"),
    [
        (b"nope", None),
        (b"[]", None),
        (b"\xff", None),
        (b'{"id": 5}', 5),
        (b'{"id": 5, "xml": 7}', 5),
        (b'{"xml": null}', None),
        (b'{"id": 5, "xml": "\\ud800"}', None),
        (b"[" * 100_000, None),
    ],
    ids=["word", "list", "bytes", "no xml", "number", "null", "surrogate", "deep"],
)
def test_line_that_cannot_be_read_is_answered_and_the_others_go_on(
    line: bytes, line_id: int | None, message: str
) -> None:
    good = json.dumps({"id": 1, "xml": message}).encode()

    result = run("--lines", text=line + b"\n" + good + b"\n")

    bad, after = lines_of(result)
    assert result.exit_code == 1
    assert (bad["id"], bad["valid"]) == (line_id, False)
    assert bad["violations"][0]["rule"] == "line_json"
    assert (after["id"], after["valid"]) == (1, True)


def test_line_of_many_megabytes_is_refused_and_the_next_is_judged(
    message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corrente import message_verdicts

    monkeypatch.setattr(message_verdicts, "LINE_BYTES_MAX", 20_000)
    text = "x" * 100_000 + "\n" + json.dumps({"id": 2, "xml": message})

    found = lines_of(run("--lines", text=text))

    assert [each["valid"] for each in found] == [False, True]


def test_no_lines_are_no_fault() -> None:
    result = run("--lines")

    assert (result.exit_code, result.stdout) == (0, "")


@pytest.fixture
def stream() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", f"{PROGRAM}typer.run(it)", "--lines"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        yield program
        assert program.stdin is not None
        program.stdin.close()
        assert program.wait(60) in {0, 1}


def test_verdict_comes_before_the_next_line_is_sent(
    message: str, stream: subprocess.Popen[bytes]
) -> None:
    assert stream.stdin is not None
    assert stream.stdout is not None
    for number in range(3):
        stream.stdin.write(json.dumps({"id": number, "xml": message}).encode() + b"\n")
        stream.stdin.flush()
        assert json.loads(stream.stdout.readline())["id"] == number


def test_thousand_messages_pass_in_one_stream(message: str) -> None:
    text = "".join(json.dumps({"id": n, "xml": message}) + "\n" for n in range(1_000))

    result = run("--lines", text=text)

    assert result.exit_code == 0
    assert [each["id"] for each in lines_of(result)] == list(range(1_000))


def test_reader_that_goes_away_ends_the_stream_without_a_word(message: str) -> None:
    text = (json.dumps({"id": 1, "xml": message}) + "\n") * 500
    with subprocess.Popen(
        [sys.executable, "-c", f"{PROGRAM}typer.run(it)", "--lines"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdin.write(text.encode()[:60_000])
        program.stdin.flush()
        program.stdout.readline()
        program.stdout.close()
        try:
            program.stdin.write(text.encode())
            program.stdin.close()
        except BrokenPipeError:
            pass
        assert program.stderr.read() == b""
        assert program.wait(60) == 1
