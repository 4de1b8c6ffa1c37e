"""``/openapi.json``: describes the interface, made from the structs of `gateway.bodies`."""

from functools import cache
from typing import Any

import msgspec

from gateway.bodies import PaymentAnswer, PaymentBody, PositionAnswer
from gateway.problem import PROBLEM_JSON, Problem

JSON = "application/json"
Schema = dict[str, Any]

REF = "#/components/schemas/{name}"


@cache
def openapi_document() -> bytes:
    """The OpenAPI 3.1 document as JSON."""
    (payment_body, payment, position, problem), components = msgspec.json.schema_components(
        [PaymentBody, PaymentAnswer, PositionAnswer, Problem], ref_template=REF
    )
    errors = {
        str(status): _answer(title, PROBLEM_JSON, problem)
        for status, title in (
            (400, "Malformed or invalid"),
            (401, "No valid token"),
            (403, "Role not allowed"),
            (404, "Not found"),
            (413, "Body too large"),
            (422, "Refused; nothing moved"),
            (503, "Unavailable, or the outcome is unknown: repeat with the same key"),
        )
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Corrente",
            "version": "1",
            "description": "Pix payments of an institution. Money is a decimal string in BRL.",
        },
        "security": [{"bearer": []}],
        "paths": _resources(payment_body, payment, position, errors) | _MACHINES,
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
        {"201": _answer("Accepted", JSON, payment), **_only(errors, "404")},
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


def _only(errors: dict[str, Any], left_out: str) -> dict[str, Any]:
    return {status: answer for status, answer in errors.items() if status != left_out}


_MACHINES = {
    "/health": {"get": _open("health", "The process answers.")},
    "/health/ready": {
        "get": _open("ready", "A payment can be accepted; 503 says what is missing.")
    },
    "/metrics": {"get": _open("metrics", "Prometheus exposition.")},
}
