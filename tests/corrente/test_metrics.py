"""What the metrics page counts."""

from structlog.testing import capture_logs

from actors import Node
from corrente.metrics import NodeMetrics
from pix import OpenPayments


async def test_payment_that_could_not_be_sent_is_counted_and_is_an_error_in_the_log(
    node: Node,
) -> None:
    metrics = NodeMetrics(node, OpenPayments())

    with capture_logs() as logs:
        node.telemetry.execute(
            ("pix", "sender", "alarm"),
            {"count": 1},
            {"end_to_end_id": "E1", "reason": "amount_above_zero"},
        )

    assert metrics.registry.get_sample_value("corrente_pix_given_up_total") == 1
    (entry,) = logs
    assert (entry["log_level"], entry["reason"]) == ("error", "amount_above_zero")
