"""Somebody at the controls of a running bank, who asks for faults and looks at the books."""

from typing import Any

import aiohttp
import msgspec

from bacen.simulator import RunningBank
from tests.bacen.simulator.desk import admin


class Controls:
    """The admin port of one bank; every answer is checked for its status."""

    def __init__(self, bank: RunningBank) -> None:
        self._url = f"{bank.admin_url}/admin"
        self._bank = bank

    async def ask(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self._url}{path}", json=body) as response,
        ):
            text = await response.text()
            assert response.status == status, text
            return msgspec.json.decode(text) if text else None

    async def fault(self, fault: str, **more: object) -> str:
        """Put a fault into force; gives its id. `since` and `during` stand for from and for."""
        names = {"since": "from", "during": "for"}
        order = {names.get(name, name): value for name, value in more.items()}
        told = await self.ask("POST", "/faults", {"fault": fault, **order}, 201)
        return str(told["id"])

    async def remove(self, fault_id: str) -> None:
        await self.ask("DELETE", f"/faults/{fault_id}", status=204)

    async def advance(self, by: str) -> None:
        await self.ask("POST", "/clock", {"advance": by})

    async def strikes(self, fault: str, ispb: str) -> int:
        """Read how often a fault was applied, from the metrics."""
        labels = f'{{fault="{fault}",ispb="{ispb}"}}'
        return int(await self._metric(f"corrente_bacen_faults_total{labels}"))

    async def hits(self, fault: str, fault_id: str) -> int:
        """Read how often one fault was applied, from the metrics."""
        labels = f'{{fault="{fault}",id="{fault_id}"}}'
        return int(await self._metric(f"corrente_bacen_fault_hits_total{labels}"))

    async def missing_cents(self) -> int:
        return int(await self._metric('corrente_bacen_alarms_total{kind="money_missing_cents"}'))

    async def payment(self, end_to_end_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await admin(self._bank, f"payments/{end_to_end_id}")
        return found

    async def _metric(self, name: str) -> float:
        for line in (await admin(self._bank, None)).splitlines():
            if line.startswith(name):
                return float(line.rpartition(" ")[2])
        return 0


def logged(logs: list[Any], fault: str) -> list[str]:
    """Give whom a fault met, as the log says it."""
    applied = [each for each in logs if each["event"] == "fault_applied"]
    return [each["ispb"] for each in applied if each["fault"] == fault]
