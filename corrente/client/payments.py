"""Pay through the front door: the HTTP interface, as any client uses it."""

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

REQUEST_TIMEOUT_SECONDS = 10
POLL_SECONDS = 0.02
FINAL = frozenset({"CONFIRMED", "REJECTED", "FAILED"})


@dataclass(eq=False)
class PayFailed(Exception):
    """The platform did not take the payment, or cannot be reached.

    Attributes:
        problem: One line for a person.
        is_unknown: True when the payment may have been taken.
    """

    problem: str
    is_unknown: bool = False

    def __post_init__(self) -> None:
        self.args = (self.problem, self.is_unknown)

    def __str__(self) -> str:
        return self.problem


class Client:
    """A client of one platform, over one connection.

    Args:
        url: Where; http or https.
        token: Who we are.
        timeout_seconds: How long one step of a request may take.
    """

    def __init__(
        self, url: str, token: str, *, timeout_seconds: float = REQUEST_TIMEOUT_SECONDS
    ) -> None:
        address = urlsplit(url)
        is_secure = address.scheme == "https"
        connect = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
        self._connection = connect(
            address.hostname or "127.0.0.1", address.port, timeout=timeout_seconds
        )
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def request(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One request; the decoded answer.

        Raises:
            PayFailed: The platform refused, answered nonsense or could not be reached.
        """
        data = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, data, self._headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            problem = f"no answer from the platform: {str(error) or type(error).__name__}"
            raise PayFailed(problem, is_unknown=data is not None) from error
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise PayFailed(f"unexpected answer {response.status}") from error
        if response.status >= 300:
            raise PayFailed(
                _problem_line(answer), is_unknown=answer.get("code") == "outcome_unknown"
            )
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def follow(client: Client, payment: dict[str, Any], seconds: float) -> Iterator[dict[str, Any]]:
    """The payment each time it has a new state, until it is final or `seconds` have passed."""
    deadline = time.monotonic() + seconds  # noqa: TID251 # a command line client has no node
    seen = 0
    while True:
        payment = client.request("GET", f"/api/v1/payments/{payment['payment_id']}")
        if len(payment["timeline"]) > seen:
            seen = len(payment["timeline"])
            yield payment
        if payment["status"] in FINAL or time.monotonic() > deadline:  # noqa: TID251 # see above
            return
        time.sleep(POLL_SECONDS)


def _problem_line(problem: dict[str, Any]) -> str:
    violations = ", ".join(
        f"{one.get('property')}: {one.get('reason')}" for one in problem.get("violations", ())
    )
    line = f"{problem.get('code', 'error')}: {problem.get('detail', '')}"
    return f"{line} ({violations})" if violations else line
