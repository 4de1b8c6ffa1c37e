"""Faults of requests: a middleware inside the ICOM and the DICT application.

It stands innermost: what it refuses, the application around it puts into its own problem document,
signed where DICT signs.
"""

from datetime import timedelta
from email.utils import format_datetime

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from actors import Clock
from bacen.simulator.faults.kinds import (
    CLOCK_SKEW,
    CUT_AFTER_STORING,
    DICT,
    DICT_DOWN,
    EXPIRED_CERTIFICATE,
    ICOM,
    MAINTENANCE,
    SLOW_DICT,
    STORED_5XX,
    TOO_MANY_REQUESTS,
)
from bacen.simulator.faults.plan import EVERYBODY, FaultPlan
from bacen.simulator.problem import Handler
from bacen.wire import peer_ispb

STORED = 201


def request_faults(plan: FaultPlan, clock: Clock, service: str) -> Middleware:
    """Make the middleware of one application.

    Args:
        plan: The faults in force.
        clock: Measures how slow an answer is, and dates it.
        service: `icom` or `dict`.
    """

    @web.middleware
    async def faults(request: web.Request, handler: Handler) -> web.StreamResponse:
        if plan.is_empty:
            return await handler(request)
        ispb = ispb_of(request)
        if plan.strike(MAINTENANCE, ispb, service=service):
            raise web.HTTPServiceUnavailable
        if plan.strike(TOO_MANY_REQUESTS, ispb, service=service):
            raise web.HTTPTooManyRequests
        if service == DICT:
            await hinder_dict(plan, clock, ispb)
        response = await handler(request)
        if service == ICOM and request.method == hdrs.METH_POST and response.status == STORED:
            hide(plan, request, ispb)
        skew = plan.strike(CLOCK_SKEW, ispb, service=service)
        if skew is not None:
            now = clock.now() + timedelta(milliseconds=skew.by_ms)
            response.headers[hdrs.DATE] = format_datetime(now, usegmt=True)
        if plan.in_force(EXPIRED_CERTIFICATE):
            response.force_close()  # the next request meets the certificate
        return response

    return faults


async def hinder_dict(plan: FaultPlan, clock: Clock, ispb: str) -> None:
    if plan.strike(DICT_DOWN, ispb, service=DICT):
        raise web.HTTPServiceUnavailable
    slow = plan.strike(SLOW_DICT, ispb, service=DICT)
    if slow is not None:
        await clock.sleep_ms(slow.by_ms)


def hide(plan: FaultPlan, request: web.Request, ispb: str) -> None:
    """Keep from a participant that what it posted is stored."""
    if plan.strike(CUT_AFTER_STORING, ispb, service=ICOM) and request.transport is not None:
        request.transport.abort()
    elif plan.strike(STORED_5XX, ispb, service=ICOM):
        raise web.HTTPInternalServerError


def ispb_of(request: web.Request) -> str:
    """ISPB that the client's certificate names."""
    if request.transport is None:
        return EVERYBODY
    connection = request.transport.get_extra_info("ssl_object")
    return EVERYBODY if connection is None else peer_ispb(connection) or EVERYBODY
