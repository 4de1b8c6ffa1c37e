"""The register of participants as an operator sees it, and changes what everybody knows of one."""

from typing import Any

import msgspec
from aiohttp import web

from actors import Node
from bacen.simulator.admin_routes import AdminProblem, AdminRoute, json_body, json_response
from bacen.simulator.errors import NOT_JSON, BankFault
from bacen.simulator.payments import from_ms
from bacen.simulator.registrations import PublicData
from bacen.simulator.requests import SETTLEMENT, ChangeParticipant, GetParticipant

TIMEOUT_MS = 2_000
TEXTS_MAX = {"name": 350, "short_name": 140}  # catalogue 5.13: of a camt.014
ROLES = ("PDCT", "ITUS", "LESP", "GOVE")
KINDS = ("DRCT", "IDRT")  # the bank itself is in the table as well


class ParticipantsEndpoint:
    """Asks the settlement of one bank.

    Args:
        node: Where it runs.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def routes(self) -> list[AdminRoute]:
        path = "/admin/participants/{ispb}"
        return [
            AdminRoute("GET", path, self.show, "shows a participant and what it told of itself"),
            AdminRoute("POST", path, self.change, "changes names or role; tells others (reda.041)"),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show a participant; its password word is for the bank alone."""
        return json_response(await self._shown(request.match_info["ispb"]))

    async def change(self, request: web.Request) -> web.Response:
        """Change a participant's names or role."""
        ispb = request.match_info["ispb"]
        public = read_public(await json_body(request))
        await self._shown(ispb)  # or 404
        try:
            order = ChangeParticipant(ispb, public)
            await self._node.call(SETTLEMENT, order, timeout_ms=TIMEOUT_MS)
        except BankFault:
            raise AdminProblem(500) from None
        return json_response(await self._shown(ispb))

    async def _shown(self, ispb: str) -> dict[str, Any]:
        found = await self._node.call(SETTLEMENT, GetParticipant(ispb), timeout_ms=TIMEOUT_MS)
        if found is None or found[0].kind not in KINDS:
            raise AdminProblem(404)
        participant, told = found
        shown: dict[str, Any] = {
            name: getattr(participant, name) for name in participant.__struct_fields__
        }
        shown |= {"name": participant.full_name, "contact": None, "director": None}
        shown |= {"director_cpf": None, "told_at": None}
        if told is not None:
            shown["told_at"] = from_ms(told.at_ms).isoformat(timespec="milliseconds")
            for each in told.modifications:
                if each.contact is not None:
                    role = "contact" if each.contact.name is None else "director"
                    shown[role] = msgspec.to_builtins(each.contact)
                elif each.director_cpf is not None:
                    shown["director_cpf"] = each.director_cpf
        return shown


def read_public(body: bytes) -> PublicData:
    """Read what is to change.

    Raises:
        AdminProblem: 400.
    """
    try:
        public = msgspec.json.decode(body, type=PublicData)
    except NOT_JSON as error:
        raise AdminProblem(400, str(error)) from None
    if public == PublicData():
        raise AdminProblem(400, "name, short_name or role is needed")
    for field, most in TEXTS_MAX.items():
        text = getattr(public, field)
        if text is not None and not is_name(text, most):
            raise AdminProblem(400, f"{field} must have 1 to {most} characters that XML allows")
    if public.role not in {None, *ROLES}:
        raise AdminProblem(400, f"role must be one of {', '.join(ROLES)}")
    return public


def is_name(text: str, most: int) -> bool:
    """Say whether a message can carry a name."""
    return 0 < len(text) <= most and text.isprintable() and text == text.strip()
