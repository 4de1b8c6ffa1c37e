"""`corrente ledger breaker`: how the breaker of a running platform stands, and orders to it."""

import json
from enum import Enum
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from corrente.client import Client

PATH: Final = "/api/v1/admin/breaker"
WITHIN_SECONDS: Final = 90
"""Closing replays what an outage has left."""

POSITIONS: Final = {"open": "open", "close": "closed"}


class Wish(Enum):
    """What an operator wants of the breaker."""

    STATUS = "status"
    HISTORY = "history"
    OPEN = "open"
    CLOSE = "close"


def breaker_and_show(
    client: Client, wish: Wish, reason: str, console: Console, *, as_json: bool
) -> bool:
    """Ask the platform, and show what it says.

    Args:
        client: With a token of role admin; of the platform.
        wish: What is wanted.
        reason: Why; for `OPEN` and `CLOSE`, kept in the audit.
        console: For the answer.
        as_json: Print the answer of the interface as it is.

    Returns:
        False when the breaker is not where it is wanted.

    Raises:
        PayFailed: The platform refused, has no breaker, or did not answer.
    """
    if wish is Wish.HISTORY:
        answer = client.request("GET", f"{PATH}/history")
    elif wish is Wish.STATUS:
        answer = client.request("GET", PATH)
    else:
        answer = client.request("POST", f"{PATH}/{wish.value}", {"reason": reason})
    if as_json:
        console.file.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
    elif wish is Wish.HISTORY:
        _show_history(answer, console)
    else:
        _show_status(answer, console)
    return answer.get("position") == POSITIONS.get(wish.value, answer.get("position"))


def _show_status(answer: dict[str, Any], console: Console) -> None:
    held = ", until somebody closes it" if answer["is_held"] else ""
    reason = f"\n{answer['reason']}" if answer["reason"] else ""
    console.print(
        f"{answer['position']}{held}  epoch {answer['epoch']}\n"
        f"unknown transfers {answer['unknown_transfers']:,}"
        f"  not yet in TigerBeetle {answer['waiting_transfers']:,}{escape(reason)}",
        highlight=False,
    )


def _show_history(answer: dict[str, Any], console: Console) -> None:
    events = Table("at", "epoch", "position", "by", "reason", box=None, pad_edge=False)
    for each in answer["events"]:
        what = f"{each['position']}{' (held)' if each['is_held'] else ''}"
        made_by, reason = escape(each["made_by"]), escape(each["reason"])
        events.add_row(each["at"], str(each["epoch"]), what, made_by, reason)
    orders = Table("at", "ordered", "by", "reason", box=None, pad_edge=False)
    for each in answer["orders"]:
        made_by, reason = escape(each["made_by"]), escape(each["reason"])
        orders.add_row(each["at"], each["position"], made_by, reason)
    console.print(events)
    console.print()
    console.print(orders)
