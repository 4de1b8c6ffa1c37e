"""Rates from two answers of the interface: it keeps no history, so whoever looks twice does it."""

from typing import Any, TypeAlias

Answer: TypeAlias = dict[str, Any]

US_PER_SECOND = 1_000_000


def with_rates(before: Answer | None, now: Answer) -> Answer:
    """The later answer with messages a second and share of handler time since the earlier one.

    Without an earlier answer, or when no time has passed between them, it comes back as it is.
    """
    passed_us = now["monotonic_us"] - before["monotonic_us"] if before is not None else 0
    if before is None or passed_us <= 0:
        return now
    earlier = {row["pid"]: row for row in before["processes"] if row["pid"] is not None}
    rows = [_with_rates(earlier.get(row["pid"]), row, passed_us) for row in now["processes"]]
    return {**now, "processes": rows}


def _with_rates(before: Answer | None, row: Answer, passed_us: int) -> Answer:
    if row["pid"] is None or before is None:  # a row that was not shown before may be old
        return row
    return {
        **row,
        "messages_per_second": (row["handled"] - before["handled"]) * US_PER_SECOND / passed_us,
        "handler_share": (row["handler_us"] - before["handler_us"]) / passed_us,
    }
