"""A platform and a bank that has a bad day: all is paid once, and both books agree."""

import json
import urllib.request
from typing import Any

from tests.e2e.platform_process import PlatformProcess

OWN, ITAU = "12345678", "60701190"  # the demonstration's key leads to Itaú
PAYMENTS = 20
AMOUNT_CENTS = 1_050
BAD_DAY = (
    {"fault": "duplicate", "probability": "0.3"},
    {"fault": "reorder", "probability": "0.3"},
    {"fault": "late", "by": "1s", "probability": "0.3"},
    {"fault": "stored_5xx", "probability": "0.2"},
    {"fault": "cut_after_storing", "probability": "0.2"},
    {"fault": "too_many_requests", "service": "icom", "probability": "0.1"},
    {"fault": "maintenance", "service": "icom", "probability": "0.1"},
    {"fault": "slow_dict", "by": "200ms", "probability": "0.3"},
)
RECEIVER = {
    "ispb": ITAU,
    "answers": {"type": "uniform", "low": "20ms", "high": "400ms"},
    "reject": {"AC03": "0.3"},
}


def control(platform: PlatformProcess, path: str, body: object = None) -> dict[str, Any]:
    """Ask the bank beside the platform at its admin port."""
    ready = json.loads((platform.home / "bank" / "ready.json").read_text())
    request = urllib.request.Request(f"{ready['admin_url']}/admin{path}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def balance_cents(platform: PlatformProcess, ispb: str) -> int:
    return int(control(platform, f"/accounts/{ispb}")["balance_cents"])


def ordered(platform: PlatformProcess, number: int) -> str:
    """Order a payment; gives its id."""
    body = {
        "amount": "10.50",
        "pix_key": platform.ready["key"],
        "debtor": platform.ready["debtor"],
        "idempotency_key": f"bad-day-{number}",
    }
    client = platform.client()
    try:
        return str(client.request("POST", "/api/v1/payments", body)["payment_id"])
    finally:
        client.close()


def test_platform_pays_everything_once_on_a_bad_day_of_the_bank(
    platform: PlatformProcess,
) -> None:
    platform.wait_final()
    before = {ispb: balance_cents(platform, ispb) for ispb in (OWN, ITAU)}
    for fault in BAD_DAY:
        control(platform, "/faults", fault)
    control(platform, "/counterparties", RECEIVER)

    paid = [ordered(platform, number) for number in range(PAYMENTS)]
    platform.wait_final()

    ends = platform.statuses(paid)
    (itau,) = control(platform, "/counterparties")["counterparties"]
    answers = itau["counts"]["answers"]
    assert itau["counts"]["asked"] == PAYMENTS
    assert ends.get("CONFIRMED", 0) == answers.get("accepted", 0)
    assert ends.get("REJECTED", 0) == answers.get("AC03", 0)
    assert sum(ends.values()) == PAYMENTS == sum(answers.values())
    moved = answers.get("accepted", 0) * AMOUNT_CENTS
    assert balance_cents(platform, OWN) == before[OWN] - moved
    assert balance_cents(platform, ITAU) == before[ITAU] + moved
    assert sum(each["hits"] for each in control(platform, "/faults")["faults"]) > 0
    verified = platform.verify()
    assert verified.returncode == 0, verified.stdout + verified.stderr
