"""What a newcomer does, from outside: start, pay, look, stop."""

import http.client
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from corrente.client import Client, PayFailed, follow
from tests.e2e.platform_process import ROOT, PlatformProcess

FINAL_SECONDS = 20


def order(platform: PlatformProcess, key: str, **changes: Any) -> dict[str, Any]:
    return {
        "amount": "10.50",
        "pix_key": platform.ready["key"],
        "debtor": platform.ready["debtor"],
        "idempotency_key": key,
        **changes,
    }


def to_account(number: str, **changes: Any) -> dict[str, Any]:
    account = {
        "ispb": "00000000",
        "branch": "0001",
        "account_number": number,
        "tax_id": "52998224725",
        **changes,
    }
    return {"pix_key": None, "creditor_account": account}


def paid(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    """Order a payment and follow it to its end."""
    body = {name: value for name, value in body.items() if value is not None}
    payment = client.request("POST", "/api/v1/payments", body)
    for state in follow(client, payment, FINAL_SECONDS):
        payment = state
    return payment


def settled_position(platform: PlatformProcess, client: Client) -> dict[str, Any]:
    """The position once no earlier payment of this shared platform can move it any more."""
    platform.wait_final()
    return client.request("GET", "/api/v1/position")


def raw(
    platform: PlatformProcess,
    method: str,
    path: str,
    body: bytes | None = None,
    token: str | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """One request that is not tidied up on its way."""
    address = urlsplit(platform.ready["url"])
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    token = platform.ready["token"] if token is None else token
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, text


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "corrente", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_start_pays_one_pix_and_says_what_to_try(shared_platform: PlatformProcess) -> None:
    text = shared_platform.output.read_text()

    assert "first Pix: E12345678" in text
    assert "CONFIRMED" in text
    assert text.count("curl -s") == 3


def test_ready_file_tells_what_a_script_needs(shared_platform: PlatformProcess) -> None:
    ready = shared_platform.ready

    assert set(ready) >= {"url", "token", "bank_url", "home", "debtor", "key", "pids"}
    assert set(ready["pids"]) >= {"platform", "bank", "postgres", "nats"}
    assert all(psutil.pid_exists(pid) for pid in ready["pids"].values())
    assert set(ready["debtor"]) == {"account_number", "branch", "name", "tax_id"}


def test_payment_by_key_is_confirmed_and_shows_each_state(
    shared_platform: PlatformProcess,
) -> None:
    client = shared_platform.client()

    payment = paid(client, order(shared_platform, "by-key", description="Almoço"))

    client.close()
    assert payment["status"] == "CONFIRMED"
    assert payment["amount"] == "10.50"
    assert payment["currency"] == "BRL"
    assert payment["creditor"]["tax_id"].startswith("***")
    assert [step["status"] for step in payment["timeline"]] == [
        "PROCESSING",
        "SUBMITTED",
        "CONFIRMED",
    ]
    assert payment["end_to_end_id"].startswith("E12345678")


def test_payment_to_an_account_moves_the_position(shared_platform: PlatformProcess) -> None:
    client = shared_platform.client()
    before = settled_position(shared_platform, client)

    payment = paid(client, order(shared_platform, "by-account", **to_account("112233")))

    after = client.request("GET", "/api/v1/position")
    client.close()
    assert payment["status"] == "CONFIRMED"
    assert round(float(before["balance"]) - float(after["balance"]), 2) == 10.50
    assert float(after["available"]) <= float(after["balance"])


def test_rejection_by_the_receiver_gives_its_reason_and_the_money_back(
    shared_platform: PlatformProcess,
) -> None:
    client = shared_platform.client()
    before = settled_position(shared_platform, client)

    payment = paid(client, order(shared_platform, "rejected", **to_account("AC03123")))

    after = client.request("GET", "/api/v1/position")
    client.close()
    assert (payment["status"], payment["reason"]) == ("REJECTED", "AC03")
    assert after["balance"] == before["balance"]
    assert after["reserved"] == before["reserved"]


def test_same_order_under_the_same_key_is_the_same_payment(
    shared_platform: PlatformProcess,
) -> None:
    client = shared_platform.client()
    body = order(shared_platform, "twice")
    first = client.request("POST", "/api/v1/payments", body)

    status, headers, text = raw(
        shared_platform, "POST", "/api/v1/payments", json.dumps(body).encode()
    )

    client.close()
    assert status == 201
    assert headers["idempotent-replayed"] == "true"
    assert json.loads(text)["payment_id"] == first["payment_id"]


def test_another_order_under_a_used_key_is_refused(shared_platform: PlatformProcess) -> None:
    client = shared_platform.client()
    client.request("POST", "/api/v1/payments", order(shared_platform, "used"))

    with pytest.raises(PayFailed, match="idempotency_key_reused"):
        client.request("POST", "/api/v1/payments", order(shared_platform, "used", amount="11.00"))

    client.close()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"pix_key": "+5511900000000"}, 422, "key_not_found"),
        ({"pix_key": "not a key"}, 422, "invalid_key"),
        ({"amount": "0.00"}, 400, "validation_failed"),
        ({"amount": "-1.00"}, 400, "validation_failed"),
        ({"amount": "10.505"}, 400, "validation_failed"),
        ({"amount": "1000000000.00"}, 400, "validation_failed"),
        ({"amount": "999999999.99"}, 422, "insufficient_funds"),
        (to_account("1", ispb="99999999"), 422, "unknown_participant"),
        (to_account("1", ispb="12345678"), 422, "same_institution"),
        (to_account("1", tax_id="52998224726"), 400, "validation_failed"),
        ({"description": "x" * 141}, 400, "validation_failed"),
        ({"idempotency_key": None}, 400, "validation_failed"),
    ],
)
def test_bad_order_gets_its_code_and_moves_nothing(
    shared_platform: PlatformProcess, changes: dict[str, Any], status: int, code: str
) -> None:
    client = shared_platform.client()
    before = settled_position(shared_platform, client)
    body = {**order(shared_platform, f"bad-{code}-{os.urandom(4).hex()}"), **changes}
    body = {name: value for name, value in body.items() if value is not None}

    answered, headers, text = raw(
        shared_platform, "POST", "/api/v1/payments", json.dumps(body).encode()
    )

    after = client.request("GET", "/api/v1/position")
    client.close()
    problem = json.loads(text)
    assert (answered, problem["code"]) == (status, code)
    assert headers["content-type"].startswith("application/problem+json")
    assert problem["error"] == code
    assert problem["correlation_id"] == headers["x-correlation-id"]
    assert after == before


def test_somebody_elses_tax_id_is_refused(shared_platform: PlatformProcess) -> None:
    client = shared_platform.client()
    debtor = {**shared_platform.ready["debtor"], "tax_id": "52998224725"}

    with pytest.raises(PayFailed, match="debtor_mismatch"):
        client.request(
            "POST", "/api/v1/payments", order(shared_platform, "not-mine", debtor=debtor)
        )

    client.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "token", "status", "code"),
    [
        ("POST", "/api/v1/payments", b"{", None, 400, "malformed_json"),
        ("POST", "/api/v1/payments", b"x" * 70_000, None, 413, "body_too_large"),
        ("POST", "/api/v1/payments", b"{}", "wrong", 401, "unauthorized"),
        ("POST", "/api/v1/payments", b"{}", "", 401, "unauthorized"),
        ("GET", "/api/v1/payments/pay-unknown", None, None, 404, "not_found"),
        ("GET", f"/api/v1/payments/pay-{'0' * 22}", None, None, 404, "not_found"),
        ("GET", "/api/v1/position", None, "", 401, "unauthorized"),
        ("GET", "/nowhere", None, None, 404, "not_found"),
        ("DELETE", "/api/v1/payments", None, None, 405, "method_not_allowed"),
        ("PUT", "/api/v1/position", b"{}", None, 405, "method_not_allowed"),
    ],
)
def test_every_wrong_request_gets_a_problem_document(
    shared_platform: PlatformProcess,
    method: str,
    path: str,
    body: bytes | None,
    token: str | None,
    status: int,
    code: str,
) -> None:
    answered, headers, text = raw(shared_platform, method, path, body, token)

    assert (answered, json.loads(text)["code"]) == (status, code)
    assert headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("path", "needle"),
    [
        ("/health", b'"ok"'),
        ("/health/ready", b'"ready"'),
        ("/metrics", b"corrente_pix_payments_total"),
        ("/openapi.json", b'"openapi":"3.1.0"'),
    ],
)
def test_machines_find_what_they_ask_for(
    shared_platform: PlatformProcess, path: str, needle: bytes
) -> None:
    with urllib.request.urlopen(shared_platform.ready["url"] + path) as answer:
        assert needle in answer.read()


def test_pay_command_shows_the_timeline_until_the_end(shared_platform: PlatformProcess) -> None:
    home = ["--home", str(shared_platform.home)]

    done = command("pay", "--key", shared_platform.ready["key"], "--amount", "10.50", *home)

    assert done.returncode == 0, done.stderr
    assert done.stdout.index("PROCESSING") < done.stdout.index("SUBMITTED")
    assert "R$ 10.50  CONFIRMED" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["--key", "+5511900000000", "--amount", "1.00"], 1, "key_not_found"),
        (["--key", "+5511999887766", "--amount", "ten"], 2, "--amount"),
        (["--key", "+5511999887766", "--amount", "0"], 1, "greater than zero"),
    ],
)
def test_pay_command_says_in_one_line_what_is_wrong(
    shared_platform: PlatformProcess, arguments: list[str], code: int, problem: str
) -> None:
    done = command("pay", *arguments, "--home", str(shared_platform.home))

    assert done.returncode == code
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1


def test_ledger_adds_up_while_the_platform_runs(shared_platform: PlatformProcess) -> None:
    verified = shared_platform.verify()

    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "CONFIRMED" in verified.stdout
    assert "adds up" in verified.stdout


def test_second_platform_on_the_same_home_is_refused_in_one_line(
    shared_platform: PlatformProcess,
) -> None:
    done = command("up", "--home", str(shared_platform.home), "--port", "0")

    assert done.returncode == 1
    assert "in use by process" in done.stderr
    assert done.stderr.count("\n") == 1


def test_stop_leaves_no_process_and_verify_works_without_a_platform(tmp_path: Path) -> None:
    platform = PlatformProcess(tmp_path)
    platform.start()

    code = platform.stop()

    assert code == 0
    verified = platform.verify()
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "adds up" in verified.stdout


def test_mistakes_in_the_settings_are_named_one_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORRENTE_GATEWAY__PORT", "70000")
    monkeypatch.setenv("CORRENTE_LIMITS__PAYMENT_MAX_CENTS", "-1")

    done = command("up", "--home", str(tmp_path))

    assert done.returncode == 1
    assert "gateway.port: " in done.stderr
    assert "limits.payment_max_cents: " in done.stderr
