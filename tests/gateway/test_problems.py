"""What a client is told when its request is refused."""

import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request

from bacen.validation import RULES
from bacen.wire import Pacs008
from gateway.problem import CORRELATION_ID, problem_response


@pytest.mark.parametrize("rule", RULES[Pacs008], ids=lambda rule: rule.name)
def test_rule_of_the_spi_is_a_refusal_of_the_business(rule: object) -> None:
    request = make_mocked_request("POST", "/api/v1/payments")
    request[CORRELATION_ID] = "c"
    name = getattr(rule, "name", "")

    answer = problem_response(request, name, "no")

    assert answer.status == 422
    assert msgspec.json.decode(answer.body)["code"] == name
