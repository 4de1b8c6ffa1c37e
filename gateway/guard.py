"""Around every handler: a correlation id, and an error answer for whatever goes wrong.

One middleware, because each costs every request. Nothing leaves the gateway that is not JSON (or a
page of metrics): a path, a method, a body or a fault that nobody foresaw gets a problem document.
"""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from actors import Crash, reason_text
from gateway.context import CONTEXT
from gateway.errors import Forbidden, InvalidRequest, Unauthorized
from gateway.problem import CORRELATION_ID, ProblemViolation, problem_response
from pix import PaymentRefused, PaymentUnknown

CORRELATION_HEADER = "X-Correlation-Id"
CORRELATION_MAX = 64
_HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
}

log = structlog.get_logger("corrente.gateway")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Run the handler; turn every exception into a problem document; count the answer."""
    context = request.app[CONTEXT]
    given = request.headers.get(CORRELATION_HEADER, "")
    is_usable = 0 < len(given) <= CORRELATION_MAX and given.isascii() and given.isprintable()
    correlation_id = given if is_usable else f"{context.node.rng.getrandbits(96):024x}"
    request[CORRELATION_ID] = correlation_id
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = _http_problem(request, error)
    except (Unauthorized, Forbidden, InvalidRequest, PaymentRefused, PaymentUnknown) as error:
        response = _known_problem(request, error)
    except Exception as error:  # noqa: BLE001 (the last line before the client: answer 500, go on)
        crash = Crash.of(error)
        log.error(  # noqa: TRY400 (places and types: the text of an error may quote the request)
            "request failed",
            path=request.path,
            correlation_id=correlation_id,
            reason=reason_text(crash),
            traceback=crash.traceback,
        )
        response = problem_response(request, "internal_error", "the request could not be handled")
    response.headers[CORRELATION_HEADER] = correlation_id
    context.metrics.answered(response.status)
    return response


def _known_problem(request: web.Request, error: Exception) -> web.Response:
    match error:
        case Unauthorized(detail):
            request.app[CONTEXT].metrics.auth_failed.inc()
            return problem_response(request, "unauthorized", detail)
        case Forbidden(detail):
            return problem_response(request, "forbidden", detail)
        case InvalidRequest(code, violations):
            named = tuple(ProblemViolation(one.reason, one.member) for one in violations)
            return problem_response(request, code, "the request body is not valid", named)
        case PaymentRefused(code, detail, member, retry_after_s):
            blamed = (ProblemViolation(detail, member),) if member else ()
            return problem_response(request, code, detail, blamed, retry_after_s)
        case PaymentUnknown(detail):
            return problem_response(request, "outcome_unknown", detail)
        case _:
            raise error


def _http_problem(request: web.Request, error: web.HTTPException) -> web.Response:
    code = _HTTP_CODES.get(error.status, "bad_request" if error.status < 500 else "internal_error")
    response = problem_response(request, code, error.reason)
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    return response
