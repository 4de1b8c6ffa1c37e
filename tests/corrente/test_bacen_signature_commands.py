"""`corrente bacen sign` and `verify`: exit codes, JSON, which part failed, a stream of lines."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)
from typer.testing import CliRunner

from bacen.wire import KeyPair, LocalAuthority, Verifier, decode, encode, load_certificates
from corrente.bacen_signature_commands import add_signatures
from tests.bacen.signing.certified import certify
from tests.bacen.wire_messages import OUR_ISPB, pacs002, pacs008

app = typer.Typer()
app.add_typer(bacen_app := typer.Typer(), name="bacen")
add_signatures(bacen_app)
PAGE = Path(__file__).parents[2] / "docs" / "signing.md"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority.create(tmp_path_factory.mktemp("pki"), now=datetime.now(UTC))


@pytest.fixture(scope="module")
def pair(authority: LocalAuthority) -> KeyPair:
    return authority.participant(OUR_ISPB).signing


@pytest.fixture(scope="module")
def message(pair: KeyPair) -> bytes:
    return encode(pacs008(count=1), pair.signer())


@pytest.fixture(scope="module")
def unsigned(message: bytes) -> bytes:
    return re.sub(rb"<Sgntr>.*</Sgntr>", b"<Sgntr/>", message)


def run(*arguments: str | Path, text: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["bacen", *map(str, arguments)], input=text)


def found(result: Result) -> dict[str, Any]:
    read = json.loads(result.stdout)
    assert isinstance(read, dict)
    return read


def test_signed_file_is_what_the_platform_would_send(
    unsigned: bytes, pair: KeyPair, tmp_path: Path
) -> None:
    path = tmp_path / "message.xml"
    path.write_bytes(unsigned)

    result = run("sign", path, "--key", pair.key, "--cert", pair.certificate)

    assert result.exit_code == 0
    verifier = Verifier([pair.certificate.read_bytes()])
    assert decode(result.stdout_bytes, verifier) == pacs008(count=1)


def test_dict_document_is_signed_and_verified_through_a_pipe(pair: KeyPair) -> None:
    keys = ("--key", pair.key, "--cert", pair.certificate)
    signed = run("sign", "-", "--profile", "dict", *keys, text=b"<Claim><Key>1</Key></Claim>")

    result = run("verify", "--json", "--trust", pair.certificate, text=signed.stdout_bytes)

    assert (signed.exit_code, result.exit_code) == (0, 0)
    assert (found(result)["profile"], found(result)["message"]) == ("dict", "Claim")


def test_key_may_lie_in_pkcs12_under_a_password(
    unsigned: bytes, pair: KeyPair, tmp_path: Path
) -> None:
    (certificate,) = load_certificates(pair.certificate.read_bytes())
    key = load_pem_private_key(pair.key.read_bytes(), password=None)
    packed, secret = tmp_path / "keys.p12", tmp_path / "secret"
    packed.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"x",
            key,  # type: ignore[arg-type] # RSA
            certificate,
            None,
            BestAvailableEncryption(b"sesame"),
        )
    )
    secret.write_text("sesame\n")

    good = run("sign", "--key", packed, "--password-file", secret, text=unsigned)
    bad = run("sign", "--key", packed, text=unsigned)

    assert (good.exit_code, bad.exit_code) == (0, 2)


@pytest.mark.parametrize(
    "xml",
    [b"<a", b"<Envelope/>", b"signed", b"of another"],
    ids=["xml", "form", "signed", "sender"],
)
def test_what_cannot_be_signed_is_1_and_writes_nothing(
    xml: bytes, unsigned: bytes, message: bytes, pair: KeyPair
) -> None:
    if xml == b"signed":
        xml = message
    elif xml == b"of another":
        xml = unsigned.replace(f"<Id>{OUR_ISPB}<".encode(), b"<Id>99999A04<", 1)

    result = run("sign", "--key", pair.key, "--cert", pair.certificate, text=xml)

    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("sign", "nowhere.xml"),
        ("sign", "--key", "nowhere.key"),
        ("verify",),
        ("verify", "--trust", "nowhere.pem"),
        ("verify", "--profile", "jws"),
        ("verify", "--at", "soon"),
    ],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("at", ["soon", "2026-01-31T12:00:00"])
def test_time_needs_an_offset(at: str, pair: KeyPair, message: bytes) -> None:
    assert run("verify", "--trust", pair.certificate, "--at", at, text=message).exit_code == 2


def test_valid_message_is_0_and_each_part_is_shown(message: bytes, pair: KeyPair) -> None:
    result = run("verify", "--trust", pair.certificate, text=message)

    assert result.exit_code == 0
    assert [line.split(" ")[2] for line in result.stdout.splitlines()[1:]] == ["ok"] * 6
    assert "valid" in result.stdout.splitlines()[0]


def test_json_names_the_reference_that_failed(message: bytes, pair: KeyPair) -> None:
    changed = message.replace(b">10.50<", b">99.50<")

    result = run("verify", "--json", "--trust", pair.certificate, text=changed)

    assert result.exit_code == 1
    assert found(result)["references"] == [
        {"uri": "#key-info-id", "element": "KeyInfo", "ok": True},
        {"uri": "", "element": "AppHdr", "ok": True},
        {"uri": None, "element": "Document", "ok": False},
    ]
    assert (found(result)["valid"], found(result)["signature"]) == (False, True)
    assert [each["rule"] for each in found(result)["violations"]] == ["digest"]


def test_text_names_it_too(message: bytes, pair: KeyPair) -> None:
    changed = message.replace(b">10.50<", b">99.50<")

    result = run("verify", "--trust", pair.certificate, text=changed)

    assert result.exit_code == 1
    assert "  BAD reference no URI to Document" in result.stdout.splitlines()
    assert "  ok  signature value" in result.stdout.splitlines()


def test_unknown_expired_and_early_certificates_are_told_apart(
    message: bytes, pair: KeyPair, authority: LocalAuthority
) -> None:
    told = {}
    for name, trust, at in (
        ("unknown", authority.spi_signing(), "2026-12-01T00:00:00Z"),
        ("expired", pair, "2099-12-01T00:00:00Z"),
        ("early", pair, "2000-12-01T00:00:00Z"),
    ):
        asked = ("verify", "--json", "--at", at, "--trust", trust.certificate)
        told[name] = [each["rule"] for each in found(run(*asked, text=message))["violations"]]

    assert told == {
        "unknown": ["certificate_unknown"],
        "expired": ["certificate_expired"],
        "early": ["certificate_not_yet_valid"],
    }


def test_one_file_may_hold_all_certificates_of_a_rotation(
    message: bytes, pair: KeyPair, authority: LocalAuthority, tmp_path: Path
) -> None:
    both = tmp_path / "both.pem"
    spi = authority.spi_signing()
    both.write_bytes(spi.certificate.read_bytes() + pair.certificate.read_bytes())

    for text in (message, encode(pacs002(1), spi.signer())):
        assert run("verify", "--trust", both, text=text).exit_code == 0


def test_every_line_gets_what_was_found_in_order(message: bytes, pair: KeyPair) -> None:
    lines = "\n".join(
        [
            json.dumps({"id": 1, "xml": message.decode()}),
            "nope",
            json.dumps({"id": {"deep": [1]}, "xml": message.decode().replace("SLEV", "DEBT")}),
            json.dumps({"id": 4}),
            json.dumps({"id": 5, "xml": 7}),
        ]
    )

    result = run("verify", "--lines", "--trust", pair.certificate, text=lines.encode())

    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [each["id"] for each in answers] == [1, None, {"deep": [1]}, 4, 5]
    assert [each["valid"] for each in answers] == [True, False, False, False, False]
    assert [rule["rule"] for each in answers for rule in each["violations"]] == [
        *("line_json", "digest", "missing", "missing")
    ]
    assert answers[0]["references"][2] == {"uri": None, "element": "Document", "ok": True}


def shown() -> list[tuple[str, str]]:
    """Commands of the page, each with what it prints there."""
    (block,) = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE)


def test_commands_of_the_page_print_what_the_page_says(tmp_path: Path) -> None:
    held = certify(
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        serial=4711,
        begins=datetime(2020, 1, 1, tzinfo=UTC),
        ends=datetime(2099, 12, 31, tzinfo=UTC),
    )
    (tmp_path / "keys.pem").write_bytes(held.key_pem + held.pem)
    signed = encode(pacs008(count=1), held.signer())
    (tmp_path / "message.xml").write_bytes(re.sub(rb"<Sgntr>.*</Sgntr>", b"<Sgntr/>", signed))
    program = tmp_path / "corrente"
    program.write_text(f"#!{sys.executable}\nfrom corrente.__main__ import main\nmain()\n")
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    for command, output in shown():
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(PAGE.parents[1])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (command, done.stdout, done.stderr) == (command, output, "")
    assert len(shown()) == 3


def test_help_has_examples() -> None:
    for command in ("sign", "verify"):
        result = run(command, "--help")
        assert (result.exit_code, f"corrente bacen {command}" in result.stdout) == (0, True)
