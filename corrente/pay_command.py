"""`corrente pay`: one payment, state by state."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from corrente.client import FINAL, Client, follow


def pay_and_show(
    ready: dict[str, Any], order: dict[str, Any], seconds: int, console: Console
) -> bool:
    """Order the payment, follow it and print its timeline.

    Args:
        ready: What the running platform says of itself.
        order: Body of the request.
        seconds: How long to wait for a final state.
        console: Where to print.

    Returns:
        True when the payment was confirmed.

    Raises:
        PayFailed: It was refused, or there was no answer.
    """
    client = Client(ready["url"], ready["token"])
    try:
        payment = client.request("POST", "/api/v1/payments", order)
        console.print(f"{payment['payment_id']}  {payment['end_to_end_id']}", highlight=False)
        for state in follow(client, payment, seconds):
            payment = state
    finally:
        client.close()
    console.print(_timeline(payment))
    status = payment["status"]
    reason = f" ({payment['reason']})" if payment.get("reason") else ""
    if status not in FINAL:
        console.print(f"not final after {seconds} s; it goes on without us", highlight=False)
    console.print(f"R$ {payment['amount']}  {status}{reason}", highlight=False)
    return bool(status == "CONFIRMED")


def _timeline(payment: dict[str, Any]) -> Table:
    table = Table("state", "at", "after", box=None, pad_edge=False)
    steps = payment["timeline"]
    first = datetime.fromisoformat(steps[0]["at"])
    for step in steps:
        passed = datetime.fromisoformat(step["at"]) - first
        table.add_row(step["status"], step["at"], f"{passed.total_seconds() * 1000:.0f} ms")
    return table
