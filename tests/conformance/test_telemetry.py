"""Case 40: telemetry, as `telemetry_SUITE` has it."""

from typing import Any

import pytest

from actors import Node

EVENT = ("room", "thing", "verb")


class Emitted(Exception):
    """Raised inside a span."""


async def test_40_a_handler_that_raises_is_detached_and_reported(node: Node) -> None:
    ran: list[str] = []
    failures: list[Any] = []

    def bad(*_: object) -> None:
        ran.append("bad")
        raise Emitted

    bad_id = node.telemetry.attach(EVENT, bad)
    node.telemetry.attach(EVENT, lambda *_: ran.append("good"))
    node.telemetry.attach(
        ("telemetry", "handler", "failure"), lambda _event, _values, about: failures.append(about)
    )

    node.telemetry.execute(EVENT, {}, {})
    node.telemetry.execute(EVENT, {}, {})

    assert ran == ["bad", "good", "good"]
    assert [failure["handler_id"] for failure in failures] == [bad_id]


async def test_40_a_span_has_a_start_and_an_end(node: Node) -> None:
    seen: list[Any] = []
    for end in ("start", "stop", "exception"):
        node.telemetry.attach(
            ("span", end), lambda event, values, _: seen.append((event[1], values))
        )

    with node.telemetry.span(("span",), {}):
        pass
    with pytest.raises(Emitted), node.telemetry.span(("span",), {}):
        raise Emitted

    assert [name for name, _ in seen] == ["start", "stop", "start", "exception"]
    assert all(values["duration_ns"] >= 0 for name, values in seen if name != "start")
