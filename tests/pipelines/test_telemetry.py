"""Every part of a pipeline says when it begins and ends, to whoever listens."""

from collections import Counter
from typing import Any

import pytest

from actors import Node
from pipelines import BatcherOptions, Message, push_test_batch, start_pipeline
from tests.pipelines.flows import FAR_MS, Recorder, options

SPANS = (
    ("pipeline", "topology", "init"),
    ("pipeline", "processor"),
    ("pipeline", "processor", "message"),
    ("pipeline", "batcher"),
    ("pipeline", "batch_processor"),
    ("pipeline", "handle_failed"),
)


class Faulty(Recorder):
    async def handle_message(self, message: Message) -> Message:
        return message.fail("no") if message.data == 2 else message


async def run(node: Node) -> None:
    batch = BatcherOptions(batch_size=2, batch_timeout_ms=FAR_MS)
    pid = await start_pipeline(node, Faulty(), options(batch=batch))
    receipts = await push_test_batch(node, "p", [1, 2, 3])
    await receipts.collect(3)
    await node.stop(pid)


@pytest.mark.parametrize("span", SPANS, ids=".".join)
async def test_each_part_is_a_span(node: Node, span: tuple[str, ...]) -> None:
    seen: list[tuple[str, Any, Any]] = []
    for end in ("start", "stop", "exception"):
        node.telemetry.attach(
            (*span, end), lambda event, values, about: seen.append((event[-1], values, about))
        )

    await run(node)

    ends = Counter(end for end, _, _ in seen)
    assert ends["start"] == ends["stop"] > 0
    assert ends["exception"] == 0
    assert {about["pipeline"] for _, _, about in seen} == {"p"}
    assert all(values["duration_ns"] >= 0 for end, values, _ in seen if end == "stop")


async def test_spans_say_how_many_messages(node: Node) -> None:
    counts: Counter[tuple[str, ...]] = Counter()

    def count(event: tuple[str, ...], _values: Any, about: Any) -> None:
        counts[event[:-1]] += about.get("messages", 1)

    for span in SPANS[1:]:
        node.telemetry.attach((*span, "stop"), count)

    await run(node)

    assert counts == {
        ("pipeline", "processor"): 3,
        ("pipeline", "processor", "message"): 3,
        ("pipeline", "batcher"): 2,
        ("pipeline", "batch_processor"): 2,
        ("pipeline", "handle_failed"): 1,
    }


async def test_observer_that_raises_harms_no_message(node: Node) -> None:
    def bad(*_: object) -> None:
        raise ValueError("observer")

    for span in SPANS:
        node.telemetry.attach((*span, "start"), bad)

    await run(node)


async def test_listening_is_known_by_event(node: Node) -> None:
    heard = ("pipeline", "batcher", "stop")
    assert not node.telemetry.listens(heard)

    handler = node.telemetry.attach(heard, lambda *_: None)
    assert node.telemetry.listens(("pipeline", "batcher", "start"), heard)
    assert not node.telemetry.listens(("pipeline", "batcher", "start"))

    node.telemetry.detach(handler)
    assert not node.telemetry.listens(heard)
