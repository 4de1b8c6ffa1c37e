"""Errors of ICOM as `application/problem+xml` (RFC 7807; BCB Manual das Interfaces 1.12)."""

from collections.abc import Awaitable, Callable
from xml.sax.saxutils import escape

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NAMESPACE = "urn:ietf:rfc:7807"
TYPE_PREFIX = "https://icom.pi.rsfn.net.br/api/v1/error/"
MEDIA_TYPE = "application/problem+xml"
TITLES = {
    400: ("bad-request", "Requisição inválida"),
    403: ("forbidden", "Acesso negado"),
    404: ("not-found", "Recurso não encontrado"),
    405: ("method-not-allowed", "Método não permitido"),
    406: ("not-acceptable", "Formato de resposta não suportado"),
    408: ("request-timeout", "Tempo esgotado na espera da requisição"),
    410: ("gone", "Recurso removido"),
    411: ("length-required", "Tamanho da requisição não informado"),
    413: ("payload-too-large", "Requisição grande demais"),
    415: ("unsupported-media-type", "Formato de conteúdo não suportado"),
    429: ("too-many-requests", "Limite de requisições atingido"),
    500: ("internal-server-error", "Erro interno"),
    502: ("bad-gateway", "Resposta inválida de outro servidor"),
    503: ("service-unavailable", "Serviço indisponível"),
}
RETRY_AFTER_SECONDS = {429: 1, 503: 1}  # where nothing more is known
REQUEST_TIMEOUT = 408


class Problem(Exception):
    """Ends a request with a problem document; raised and caught inside the endpoint only."""

    def __init__(self, status: int, detail: str = "", retry_after_s: int | None = None) -> None:
        super().__init__(status, detail, retry_after_s)
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s


def problem_response(
    status: int, detail: str = "", retry_after_s: int | None = None
) -> web.Response:
    kind, title = TITLES.get(status, ("error", "Erro"))
    told = f"<detail>{escape(detail)}</detail>" if detail else ""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><problem xmlns="{NAMESPACE}">'
        f"<type>{TYPE_PREFIX}{kind}</type><title>{title}</title>"
        f"<status>{status}</status>{told}</problem>"
    )
    response = web.Response(status=status, body=body.encode(), content_type=MEDIA_TYPE)
    wait_s = retry_after_s or RETRY_AFTER_SECONDS.get(status)
    if wait_s is not None:
        response.headers["Retry-After"] = str(wait_s)
    if status == REQUEST_TIMEOUT:
        response.force_close()  # the rest of the request is still on its way
    return response


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal, also those of aiohttp itself, into a problem document."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem_response(problem.status, problem.detail, problem.retry_after_s)
    except web.HTTPError as error:
        response = problem_response(error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
