"""Every answer that is no success: ``application/problem+json`` (RFC 9457).

Beside the standard members it has ``code`` (stable, for programs), ``error`` (the same, for clients
of older documentation), ``correlation_id`` and ``violations``.
"""

import msgspec
from aiohttp import web

CORRELATION_ID = web.RequestKey("correlation_id", str)
PROBLEM_JSON = "application/problem+json"
TYPE_BASE = "urn:corrente:problem:"


class ProblemViolation(msgspec.Struct, frozen=True):
    """One member of the request that is at fault, and why."""

    reason: str
    property: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of every error answer."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    error: str
    correlation_id: str
    violations: tuple[ProblemViolation, ...] = ()


# code -> (status, title); what is not listed is a refusal of the business, 422
_KNOWN = {
    "unauthorized": (401, "Unauthorized"),
    "forbidden": (403, "Forbidden"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "not_supervised": (409, "Not supervised"),
    "body_too_large": (413, "Body too large"),
    "malformed_json": (400, "Malformed JSON"),
    "bad_request": (400, "Bad request"),
    "validation_failed": (400, "Validation failed"),
    "internal_error": (500, "Internal error"),
    "dict_unavailable": (503, "DICT unavailable"),
    "dict_rate_limited": (429, "Too many questions to DICT"),
    "unavailable": (503, "Unavailable"),
    "overloaded": (503, "Overloaded"),
    "outcome_unknown": (503, "Outcome unknown"),
}
RETRY_AFTER_SECONDS = 1  # where nobody knows it better
RETRIED = frozenset({429, 503})

_encode = msgspec.json.Encoder().encode


def problem_response(
    request: web.BaseRequest,
    code: str,
    detail: str,
    violations: tuple[ProblemViolation, ...] = (),
    retry_after_s: int | None = None,
) -> web.Response:
    """The error answer for `code`; its status comes from the table of codes."""
    status, title = _KNOWN.get(code, (422, "Refused"))
    headers = {"X-Correlation-Id": request.get(CORRELATION_ID, "")}
    if status in RETRIED:
        headers["Retry-After"] = str(retry_after_s or RETRY_AFTER_SECONDS)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = Problem(
        type=TYPE_BASE + code,
        title=title,
        status=status,
        detail=detail,
        instance=request.path,
        code=code,
        error=code,
        correlation_id=headers["X-Correlation-Id"],
        violations=violations,
    )
    return web.Response(
        status=status, body=_encode(body), content_type=PROBLEM_JSON, headers=headers
    )
