"""`corrente bacen homologate`: begins a run at the bank's cockpit, follows it, keeps evidence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from actors import Clock
from bacen.simulator.cockpit import RunOrder
from corrente.bank_control import ControlRefused, ask_bank, read_bank

RUNS: Final = "/admin/cockpit/runs"
PERIOD_MS: Final = 500
MISSES_MAX: Final = 60  # the bank may start again meanwhile
STYLES: Final = {"PASSED": "green", "FAILED": "red", "SKIPPED": "yellow", "STOPPED": "yellow"}
ENDED: Final = frozenset(STYLES)


async def homologate(
    admin_url: str, order: RunOrder, evidence: Path | None, console: Console
) -> bool:
    """Lead a participant through the steps and show how each ends; says whether all passed.

    Args:
        admin_url: Of the bank.
        order: What is to be run.
        evidence: Folder for the evidence; made when absent.
        console: For the progress.

    Raises:
        ControlRefused: The bank refuses the run, or does not answer any more.
        OSError: The evidence cannot be written.
    """
    run = await ask_bank(admin_url, "POST", RUNS, msgspec.json.encode(order))
    console.print(f"[bold]{escape(run['notice'])}[/]", highlight=False)
    console.print(f"run {run['id']} of {run['participant']}", highlight=False)
    told: set[str] = set()
    with console.status("") as status:
        while True:
            for step in run["steps"]:
                if step["state"] in ENDED and step["id"] not in told:
                    told.add(step["id"])
                    print_step(step, console)
            if run["state"] in ENDED:
                break
            show_current(run, status)
            await Clock().sleep_ms(PERIOD_MS)
            run = await look(admin_url, str(run["id"]))
    style = STYLES[run["state"]]
    passed = f"{run['passed']} of {run['steps_total']} steps passed"
    console.print(f"[{style}]{run['state']}[/]  {passed}", highlight=False)
    if evidence is not None:
        documents = {
            kind: await read_bank(admin_url, f"{RUNS}/{run['id']}/evidence.{kind}")
            for kind in ("json", "html")
        }
        keep_evidence(
            f"homologation-{run['participant']}-{run['id']}", documents, evidence, console
        )
    return bool(run["state"] == "PASSED")


async def look(admin_url: str, run_id: str) -> Mapping[str, Any]:
    """Ask how a run stands, again for a while where the bank does not answer."""
    misses = 0
    while True:
        try:
            return await ask_bank(admin_url, "GET", f"{RUNS}/{run_id}")
        except ControlRefused:
            misses += 1
            if misses == MISSES_MAX:
                raise
            await Clock().sleep_ms(PERIOD_MS)


def show_current(run: Mapping[str, Any], status: Status) -> None:
    """Say what the participant has to do now."""
    step = next((each for each in run["steps"] if each["state"] == "RUNNING"), None)
    if step is None:
        return
    text = f"{step['id']}  {step['do']}"
    if step["capacity"]:
        gauges = step["capacity"]["gauges"]
        text += "  " + ", ".join(f"{each['text']} {each['percent']} %" for each in gauges)
    status.update(escape(text))


def print_step(step: Mapping[str, Any], console: Console) -> None:
    """Print how a step ended, and the figures of a capacity test."""
    style = STYLES[step["state"]]
    reason = f"  {escape(step['reason'])}" if step["reason"] else ""
    line = f"{step['id']:4} [{style}]{step['state']:7}[/]  {escape(step['title'])}{reason}"
    console.print(line, highlight=False)
    if not step["capacity"]:
        return
    table = Table("figure", "counted", "percent", "needed")
    for each in step["capacity"]["gauges"]:
        counted = f"{each['value']} of {each['total']}"
        table.add_row(each["text"], counted, f"{each['percent']}", f"{each['least_percent']}")
    console.print(table)


def keep_evidence(
    name: str, documents: Mapping[str, bytes], folder: Path, console: Console
) -> None:
    """Write the forms of the evidence into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, content in documents.items():
        path = folder / f"{name}.{kind}"
        path.write_bytes(content)
        console.print(f"evidence  {escape(str(path))}", highlight=False, soft_wrap=True)
