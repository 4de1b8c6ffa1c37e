"""``/openapi.json``: describes the interface, made from the structs of `gateway.bodies`."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from gateway.bodies import PaymentAnswer, PaymentBody, PositionAnswer
from gateway.breaker_bodies import (
    HISTORY,
    HISTORY_MAX,
    BreakerAnswer,
    BreakerHistoryAnswer,
    BreakerOrderBody,
)
from gateway.problem import PROBLEM_JSON, RETRIED, Problem
from gateway.process_bodies import (
    INTERVAL_MS_MAX,
    LIMIT,
    LIMIT_MAX,
    SORTS,
    KilledAnswer,
    ProcessAnswer,
    ProcessesAnswer,
)

JSON = "application/json"
Schema = dict[str, Any]

ADMIN_ANSWERS = (ProcessesAnswer, ProcessAnswer, KilledAnswer)
BREAKER_BODIES = (BreakerOrderBody, BreakerAnswer, BreakerHistoryAnswer)
REF = "#/components/schemas/{name}"


@cache
def openapi_document() -> bytes:
    """The OpenAPI 3.1 document as JSON."""
    bodies = (PaymentBody, PaymentAnswer, PositionAnswer, Problem, *ADMIN_ANSWERS, *BREAKER_BODIES)
    schemas, components = msgspec.json.schema_components(bodies, ref_template=REF)
    payment_body, payment, position, problem, *others = schemas
    admin, breaker = others[: len(ADMIN_ANSWERS)], others[len(ADMIN_ANSWERS) :]
    errors = {
        str(status): _answer(title, PROBLEM_JSON, problem)
        for status, title in (
            (400, "Malformed or invalid"),
            (401, "No valid token"),
            (403, "Role not allowed"),
            (404, "Not found"),
            (409, "Not supervised"),
            (413, "Body too large"),
            (422, "Refused; nothing moved"),
            (429, "DICT is asked about no more keys just now; nothing moved"),
            (503, "Unavailable, or the outcome is unknown: repeat with the same key"),
        )
    }
    for status in map(str, RETRIED):
        errors[status]["headers"] = _RETRY_AFTER
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Corrente",
            "version": "1",
            "description": "Pix payments of an institution. Money is a decimal string in BRL.",
        },
        "security": [{"bearer": []}],
        "paths": _resources(payment_body, payment, position, errors)
        | _admin(admin, errors)
        | _breaker(breaker, errors)
        | _MACHINES,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }
    return msgspec.json.encode(document)


def _resources(
    payment_body: Schema, payment: Schema, position: Schema, errors: Schema
) -> dict[str, Any]:
    for_reads = {status: errors[status] for status in ("401", "403", "503")}
    create = _operation(
        "createPayment",
        "Order a payment. 201 means it is durable and will reach a final state.",
        {"201": _answer("Accepted", JSON, payment), **_without(errors, "404", "409")},
    )
    get = _operation(
        "getPayment",
        "A payment with the time of each of its states.",
        {"200": _answer("The payment", JSON, payment), "404": errors["404"], **for_reads},
    )
    get_position = _operation(
        "getPosition",
        "Money of the institution at the central bank.",
        {"200": _answer("The position", JSON, position), **for_reads},
    )
    create["parameters"] = [_IDEMPOTENCY_KEY]
    create["requestBody"] = {"required": True, "content": {JSON: {"schema": payment_body}}}
    get["parameters"] = [_PAYMENT_ID]
    return {
        "/api/v1/payments": {"post": create},
        "/api/v1/payments/{payment_id}": {"get": get},
        "/api/v1/position": {"get": get_position},
    }


def _admin(answers: Sequence[Schema], errors: Schema) -> dict[str, Any]:
    """Operations for tokens of role admin; `answers` as in ADMIN_ANSWERS."""
    processes, process, killed = answers
    refused = {status: errors[status] for status in ("401", "403")}
    get_processes = _operation(
        "getProcesses",
        "Processes of the node as a tree, each right after its parent.",
        {"200": _answer("The processes", JSON, processes), "400": errors["400"], **refused},
    )
    get_process = _operation(
        "getProcess",
        "One process: bonds, what its server shows of its state, its latest crash.",
        {
            "200": _answer("The process", JSON, process),
            **_without(errors, "409", "413", "422", "429", "503"),
        },
    )
    kill_process = _operation(
        "killProcess",
        "Kill a process; its supervisor starts it again.",
        {
            "200": _answer("It was killed", JSON, killed),
            "404": errors["404"],
            "409": errors["409"],
            **refused,
        },
    )
    get_processes["parameters"] = [_INTERVAL, *_SELECTION]
    get_process["parameters"] = [_PID, _INTERVAL]
    kill_process["parameters"] = [_PID]
    return {
        "/api/v1/admin/processes": {"get": get_processes},
        "/api/v1/admin/processes/{pid}": {"get": get_process, "delete": kill_process},
    }


def _breaker(bodies: Sequence[Schema], errors: Schema) -> dict[str, Any]:
    """Operations of the circuit breaker, role admin; `bodies` as in BREAKER_BODIES."""
    order, status, history = bodies
    failures = _without(errors, "409", "413", "422", "429")
    get = _operation(
        "getBreaker",
        "How the circuit breaker between TigerBeetle and PostgreSQL stands; 404: there is none.",
        {"200": _answer("How it stands", JSON, status), **_without(failures, "400")},
    )
    get_history = _operation(
        "getBreakerHistory",
        "Changes of position, and what operators ordered, newest first.",
        {"200": _answer("The audit", JSON, history), **failures},
    )
    get_history["parameters"] = [_HISTORY_LIMIT]
    orders = {
        name: _operation(
            f"{name}Breaker",
            summary,
            {"200": _answer("How it stands now", JSON, status), **failures},
        )
        | {"requestBody": {"required": True, "content": {JSON: {"schema": order}}}}
        for name, summary in (
            ("open", "PostgreSQL decides until somebody closes it."),
            (
                "close",
                "Back to TigerBeetle; it stays open unless the two ledgers come to be equal.",
            ),
        )
    }
    return {
        "/api/v1/admin/breaker": {"get": get},
        "/api/v1/admin/breaker/history": {"get": get_history},
        **{f"/api/v1/admin/breaker/{name}": {"post": each} for name, each in orders.items()},
    }


_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which to repeat the request, with the same key.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_HISTORY_LIMIT = {
    "name": "limit",
    "in": "query",
    "required": False,
    "schema": {"type": "integer", "minimum": 1, "maximum": HISTORY_MAX, "default": HISTORY},
}
_PID = {
    "name": "pid",
    "in": "path",
    "required": True,
    "description": "Node, dot, number: corrente.12.",
    "schema": {"type": "string"},
}
_INTERVAL = {
    "name": "interval_ms",
    "in": "query",
    "required": False,
    "description": "Look twice, this far apart, and give rates; 0 looks once and gives totals.",
    "schema": {"type": "integer", "minimum": 0, "maximum": INTERVAL_MS_MAX, "default": 0},
}
_SELECTION = (
    {
        "name": "sort",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "enum": list(SORTS), "default": SORTS[0]},
    },
    {
        "name": "limit",
        "in": "query",
        "required": False,
        "schema": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT},
    },
)
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Instead of the member idempotency_key; one of the two is compulsory.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_PAYMENT_ID = {
    "name": "payment_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
}


def _operation(identifier: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"operationId": identifier, "summary": summary, "responses": responses}


def _open(identifier: str, summary: str) -> dict[str, Any]:
    """An operation that needs no token."""
    answers = {"200": {"description": "OK"}}
    return _operation(identifier, summary, answers) | {"security": []}


def _answer(description: str, content_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {content_type: {"schema": schema}}}


def _without(errors: dict[str, Any], *left_out: str) -> dict[str, Any]:
    return {status: answer for status, answer in errors.items() if status not in left_out}


_MACHINES = {
    "/health": {"get": _open("health", "The process answers.")},
    "/health/ready": {
        "get": _open("ready", "A payment can be accepted; 503 says what is missing.")
    },
    "/metrics": {"get": _open("metrics", "Prometheus exposition.")},
}
