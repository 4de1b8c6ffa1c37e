"""A run as JSON, for the page and as evidence; the script's words beside what was seen."""

from datetime import datetime
from typing import Any

import msgspec

from bacen.simulator.cockpit.capacity import Figures, Gauge, percentile
from bacen.simulator.cockpit.run import CheckState, Run, StepState
from bacen.simulator.cockpit.script import STEPS
from bacen.simulator.cockpit.sights import Sight
from bacen.simulator.cockpit.steps import Step
from bacen.simulator.payments import from_ms

SIMULATED = "This bank is simulated: what follows is no statement of the Banco Central do Brasil."
PERCENT = 100
INNER = frozenset({"received_ms", "ordered"})  # fields of a sight for the checks alone


def shown_script(step: Step) -> dict[str, Any]:
    """Show a step as the script has it."""
    return {
        "id": step.id,
        "title": step.title,
        "english": step.english,
        "do": step.do,
        "bank": step.bank,
        "checks": [each.text for each in step.checks],
        "level": step.level,
    }


def shown_head(run: Run) -> dict[str, Any]:
    """Show a run in a list."""
    return {
        "id": run.id,
        "participant": run.participant,
        "name": run.name,
        "state": run.state,
        "began_at": time_of(run.began_ms),
        "ended_at": time_of(run.ended_ms),
        "passed": sum(each.state == "PASSED" for each in run.steps),
        "steps_total": len(run.steps),
    }


def shown_run(run: Run) -> dict[str, Any]:
    """Show a run with all that was seen."""
    return {
        **shown_head(run),
        "notice": SIMULATED if run.bank.is_simulated else "",
        "bank": msgspec.to_builtins(run.bank),
        "step_seconds": run.step_ms // 1_000,
        "steps": [shown_step(each) for each in run.steps],
    }


def shown_step(state: StepState) -> dict[str, Any]:
    script = STEPS[state.id]
    waiting = [CheckState(each.text, each.need) for each in script.checks]
    return {
        **shown_script(script),
        "state": state.state,
        "began_at": time_of(state.began_ms),
        "ended_at": time_of(state.ended_ms),
        "reason": state.reason,
        "done": state.done,
        "checks": [shown_check(each) for each in state.checks or waiting],
        "capacity": shown_figures(state.figures) if state.figures else None,
    }


def shown_check(check: CheckState) -> dict[str, Any]:
    return {
        "text": check.text,
        "need": check.need,
        "count": check.count,
        "is_met": check.is_met,
        "seen": [shown_sight(each) for each in check.seen],
    }


def shown_sight(sight: Sight) -> dict[str, Any]:
    told = {
        name: value for name, value in sight.fields.items() if value != "" and name not in INNER
    }
    return {"at": time_of(sight.at_ms), "event": sight.kind, **told}


def shown_figures(figures: Figures) -> dict[str, Any]:
    times = {"answered": figures.answered, "fetched": figures.fetched}
    return {
        "per_second": figures.per_second,
        "seconds": figures.seconds,
        "began_at": time_of(figures.began_ms),
        "ends_at": time_of(figures.ends_ms if figures.began_ms else 0),
        "messages": figures.messages,
        "gauges": [shown_gauge(each) for each in figures.gauges()],
        "milliseconds": {
            name: {f"p{each}": percentile(seen, each) for each in (50, 95, 99)}
            for name, seen in times.items()
        },
    }


def shown_gauge(gauge: Gauge) -> dict[str, Any]:
    return {
        "text": gauge.text,
        "value": gauge.value,
        "total": gauge.total,
        "least_percent": gauge.least,
        "percent": gauge.value * PERCENT // gauge.total if gauge.total else 0,
        "is_met": gauge.is_met,
    }


def time_of(ms: int) -> str | None:
    """Write a time in UTC; None for one that has not come."""
    return None if ms == 0 else iso(from_ms(ms))


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
