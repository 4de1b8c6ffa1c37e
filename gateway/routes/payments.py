"""``/api/v1/payments``: order a payment, look one up."""

import hashlib

import msgspec
from aiohttp import web

from gateway.auth import MAY_PAY, MAY_READ
from gateway.bodies import (
    CreditorAccountBody,
    PaymentBody,
    accepted_answer,
    decode_payment,
    payment_answer,
)
from gateway.context import CONTEXT
from gateway.errors import InvalidRequest, Violation
from gateway.problem import problem_response
from pix import Accepted, Order, Party, parse_payment_reference

IDEMPOTENCY_KEY_MAX = 255
JSON = "application/json"

_encode = msgspec.json.Encoder().encode


async def create_payment(request: web.Request) -> web.Response:
    """``POST /api/v1/payments``: 201 once the payment is durable, never before."""
    context = request.app[CONTEXT]
    clock = context.node.clock
    started_ns = clock.monotonic_ns()
    principal = context.tokens.verify(request.headers.get("Authorization"))
    principal.require(MAY_PAY)
    body = await request.read()
    order = _order(principal.tenant, body, request.headers.get("Idempotency-Key"))
    result = await context.pix.pay(order)
    if isinstance(result, Accepted):
        answer = accepted_answer(result.payment)
        headers = {"Content-Type": JSON}
    else:
        view = await context.pix.payment(principal.tenant, result.payment_id)
        assert view is not None  # the ledger named it, so it was committed
        answer = payment_answer(view)
        headers = {"Content-Type": JSON, "Idempotent-Replayed": "true"}
    headers["Location"] = f"/api/v1/payments/{answer.payment_id}"
    context.metrics.accept_seconds.observe((clock.monotonic_ns() - started_ns) / 1e9)
    return web.Response(status=201, body=_encode(answer), headers=headers)


async def get_payment(request: web.Request) -> web.Response:
    """``GET /api/v1/payments/{id}``: the payment with its timeline."""
    context = request.app[CONTEXT]
    principal = context.tokens.verify(request.headers.get("Authorization"))
    principal.require(MAY_READ)
    payment_id = parse_payment_reference(request.match_info["payment_id"])
    view = None
    if payment_id is not None:
        view = await context.pix.payment(principal.tenant, payment_id)
    if view is None:
        return problem_response(request, "not_found", "no such payment")
    return web.Response(body=_encode(payment_answer(view)), content_type=JSON)


def _order(tenant: str, body: bytes, key_header: str | None) -> Order:
    order, amount_cents = decode_payment(body)
    key = key_header or order.idempotency_key
    if not key or len(key) > IDEMPOTENCY_KEY_MAX:
        problem = "is needed, as member or as header Idempotency-Key, 1 to 255 characters"
        raise InvalidRequest("validation_failed", (Violation(problem, "idempotency_key"),))
    if key_header and order.idempotency_key and key_header != order.idempotency_key:
        problem = "differs from the header Idempotency-Key"
        raise InvalidRequest("validation_failed", (Violation(problem, "idempotency_key"),))
    return Order(
        tenant=tenant,
        amount_cents=amount_cents,
        branch=order.debtor.branch,
        account_number=order.debtor.account_number,
        tax_id=order.debtor.tax_id,
        key=order.pix_key,
        creditor=None if order.creditor_account is None else _creditor(order.creditor_account),
        description=order.description,
        idempotency_key=key,
        fingerprint=_fingerprint(order, amount_cents),
    )


def _fingerprint(order: PaymentBody, amount_cents: int) -> bytes:
    """The same order in other words (spaces, member order, 10.5 for 10.50) is the same order."""
    members = (
        amount_cents,
        order.debtor,
        order.pix_key,
        order.creditor_account,
        order.description,
        order.priority,
    )
    return hashlib.sha256(_encode(members)).digest()


def _creditor(body: CreditorAccountBody) -> Party:
    return Party(
        ispb=body.ispb,
        account_number=body.account_number,
        account_type=body.account_type,
        tax_id=body.tax_id,
        branch=body.branch,
        name=body.name,
    )
