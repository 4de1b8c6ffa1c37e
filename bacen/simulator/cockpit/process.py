"""The process that leads participants through the homologation and keeps what was seen.

It listens to the events of the bank only while a run is under way, and costs nothing otherwise.
"""

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from importlib import metadata
from typing import Any, Final

import structlog

from actors import ActorError, Event, ExitReason, From, GenServer, NoReply, Reply, UnhandledMessage
from bacen.simulator.cockpit.acts import ActFailed, Acts
from bacen.simulator.cockpit.capacity import Figures
from bacen.simulator.cockpit.errors import UnknownRun
from bacen.simulator.cockpit.orders import (
    GetRun,
    ListRuns,
    RepeatStep,
    RunOrder,
    SkipStep,
    StartRun,
    StopRun,
)
from bacen.simulator.cockpit.run import (
    FAILED,
    RUNNING,
    SKIPPED,
    WAITING,
    BankFacts,
    Run,
    StepState,
)
from bacen.simulator.cockpit.run_files import RunFiles
from bacen.simulator.cockpit.script import STEPS
from bacen.simulator.cockpit.sights import EVENTS, Noticed, sight_of
from bacen.simulator.cockpit.steps import Act
from bacen.simulator.counterparties import (
    OFFICE,
    Counterparty,
    Dismiss,
    Enlist,
    ListCounterparties,
    Target,
)
from bacen.simulator.errors import InvalidControl
from bacen.simulator.participants import Participant
from bacen.simulator.payments import to_ms
from bacen.simulator.settings import BankSettings
from bacen.simulator.virtual_payer import VIRTUAL_PAYER

COCKPIT: Final = "bacen.cockpit"
TICK_MS: Final = 250
OFFICE_TIMEOUT_MS: Final = 10_000
INTERRUPTED: Final = "the bank started again during the test"
BUSY: Final = "99999A03 is a counterparty already: dismiss it, or wait for the other test"

_log = structlog.get_logger("bacen")


@dataclass(frozen=True, slots=True)
class Tick:
    pass


class Cockpit(GenServer):
    """Owner of the runs.

    Args:
        settings: Of the bank.
        participants: By ISPB; those that are connected can be led.
    """

    trap_exit = True  # so that what was seen is kept when the bank stops
    mailbox_max = 1_000_000  # events are counted exactly: none may be dropped

    def __init__(self, settings: BankSettings, participants: Any) -> None:
        self._settings = settings
        self._participants: dict[str, Participant] = dict(participants)
        self._files = RunFiles(settings.home)
        self._handlers: list[int] = []
        self._changed: set[str] = set()
        self._payers: set[str] = set()  # runs for which the virtual payer is a counterparty

    async def init(self) -> None:
        self._acts = Acts(self.node)
        self._runs = self._files.load()
        self.node.on_exit(self._turn_away)
        for run in self._active():
            self._take_up(run)
        self._attend()
        self.node.send_after(TICK_MS, self.pid, Tick())

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        try:
            return Reply(await self._answer(request))
        except (InvalidControl, UnknownRun) as error:
            self.node.fail(sender, error)
            return NoReply()

    async def handle_cast(self, message: Any) -> None:
        match message:
            case Noticed():
                await self._notice(message)
            case _:
                raise UnhandledMessage("handle_cast", type(message).__name__)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Tick():
                for run in self._active():
                    await self._go_on(run)
                for run_id in self._payers - {each.id for each in self._active()}:
                    await self._release_payer(run_id)
                self._save()
                self.node.send_after(TICK_MS, self.pid, Tick())
            case _:
                await super().handle_info(message)

    async def terminate(self, reason: ExitReason) -> None:  # noqa: ARG002 (a callback)
        self._save()

    async def _answer(self, request: object) -> object:
        match request:
            case ListRuns():
                return list(self._runs.values())
            case GetRun(run_id):
                return self._find(run_id)
            case StartRun(order):
                return await self._start(order)
            case SkipStep(run_id, step_id, reason):
                return await self._skip(self._find(run_id), step_id, reason)
            case RepeatStep(run_id, step_id):
                return await self._repeat(self._find(run_id), step_id)
            case StopRun(run_id):
                run = self._find(run_id)
                if run.state == RUNNING:
                    run.stop(self._now_ms())
                    await self._ended(run)
                return run
            case _:
                raise UnhandledMessage("handle_call", type(request).__name__)

    async def _start(self, order: RunOrder) -> Run:
        ispb = order.participant
        if ispb not in self._settings.connected:
            raise InvalidControl("participant", f"{ispb} is not connected to this bank")
        if any(each.participant == ispb for each in self._active()):
            raise InvalidControl("participant", f"a run of {ispb} is under way: stop it")
        run = Run(
            id=self.node.ids.new_id().hex,
            participant=ispb,
            name=self._participants[ispb].short_name,
            payee=order.payee,
            step_ms=order.step_seconds * 1_000,
            began_ms=self._now_ms(),
            steps=[state_of(each, order.capacity_seconds) for each in order.steps],
            bank=BankFacts(metadata.version("corrente"), machine()),
        )
        self._runs[run.id] = run
        self._files.forget_old(self._runs)
        self._attend()
        await self._begin_next(run)
        self._save()
        return run

    async def _skip(self, run: Run, step_id: str, reason: str) -> Run:
        step = find_step(run, step_id)
        if run.state != RUNNING or step.state not in {RUNNING, WAITING}:
            raise InvalidControl("step", f"{step_id} is {step.state}")
        was_running = step.state == RUNNING
        step.end(SKIPPED, self._now_ms(), reason)
        if was_running:
            await self._release_payer(run.id)
            await self._begin_next(run)
        self._changed.add(run.id)
        self._save()
        return run

    async def _repeat(self, run: Run, step_id: str) -> Run:
        """Let a step that has ended come once more, after those that wait before it."""
        step = find_step(run, step_id)
        if step.state in {RUNNING, WAITING}:
            raise InvalidControl("step", f"{step_id} is {step.state}")
        if run.state != RUNNING:
            if any(each.participant == run.participant for each in self._active()):
                raise InvalidControl("step", "another run of the participant is under way")
            run.state, run.ended_ms = RUNNING, 0
            self._attend()
        step.state = WAITING
        if run.current is None:
            await self._begin_next(run)
        self._changed.add(run.id)
        self._save()
        return run

    async def _notice(self, noticed: Noticed) -> None:
        for run in self._active():
            step = run.current
            if step is None or run.participant not in noticed.concerns():
                continue
            if noticed.at_ms < step.began_ms:  # of the step before; it comes late
                continue
            if step.figures is not None:
                step.figures.note_fetched(noticed)
            acts = run.observe(sight_of(noticed, run.participant))
            self._changed.add(run.id)
            for act in acts:
                await self._do(run, step, act, noticed)
            if step.figures is None:
                await self._go_on(run)

    async def _go_on(self, run: Run) -> None:
        """End the step under way if it can be, and begin the next."""
        step = run.current
        if step is not None and step.figures is not None:
            self._changed.add(run.id)
        if run.judge(self._now_ms()) or run.current is None:
            await self._release_payer(run.id)
            await self._begin_next(run)

    async def _begin_next(self, run: Run) -> None:
        """Begin steps until one is under way, or the run has ended."""
        while run.state == RUNNING and run.current is None:
            acts = run.begin_next(self._now_ms())
            step = run.current
            self._changed.add(run.id)
            self._save()  # what is passed stays passed, whatever comes
            if step is None:
                await self._ended(run)
                return
            _log.info("homologation_step", run=run.id, step=step.id, ispb=run.participant)
            for act in acts:
                await self._do(run, step, act, None)
            if step.figures is not None:
                await self._begin_capacity(run, step, step.figures)

    async def _do(self, run: Run, step: StepState, act: Act, cause: Noticed | None) -> None:
        if step.state != RUNNING:
            return
        try:
            await self._acts.do(act.name, run, step, cause)
        except ActFailed as error:
            step.end(FAILED, self._now_ms(), f"the bank could not do its part: {error}")

    async def _begin_capacity(self, run: Run, step: StepState, figures: Figures) -> None:
        payee = run.payee
        target = Target(
            ispb=run.participant,
            account_number=payee.account_number,
            tax_id=payee.tax_id,
            account_type=payee.account_type,
            branch=payee.branch,
        )
        config = Counterparty(
            ispb=VIRTUAL_PAYER,
            rate_per_second=Decimal(figures.per_second),
            payments_max=figures.payments,
            amount_cents=(1, 100),
            targets=(target,),
        )
        try:
            config.check()
            rows = await self._ask_office(ListCounterparties())
            if any(each.ispb == VIRTUAL_PAYER for each, _ in rows):
                step.end(FAILED, self._now_ms(), BUSY)
                return
            await self._ask_office(Enlist(config))
        except (ActorError, InvalidControl) as error:
            step.end(FAILED, self._now_ms(), f"the bank could not begin to pay: {error}")
            return
        self._payers.add(run.id)
        figures.began_ms = self._now_ms()
        step.done.append(f"99999A03 pays {figures.per_second} times a second")

    async def _release_payer(self, run_id: str) -> None:
        if run_id in self._payers:
            with suppress(ActorError):  # the office starts again: at the next tick
                await self._ask_office(Dismiss(VIRTUAL_PAYER))
                self._payers.discard(run_id)

    async def _ended(self, run: Run) -> None:
        self._changed.add(run.id)
        await self._release_payer(run.id)
        self._attend()
        self._save()
        _log.info("homologation_ended", run=run.id, ispb=run.participant, state=run.state)

    def _take_up(self, run: Run) -> None:
        """Go on with a run of the last life; a capacity test cannot, its counts have a hole."""
        step = run.current
        if step is not None and step.figures is not None:
            step.end(FAILED, self._now_ms(), INTERRUPTED)
            self._payers.add(run.id)
        self._changed.add(run.id)

    def _attend(self) -> None:
        """Listen while a run is under way."""
        if not self._active():
            self._turn_away()
        elif not self._handlers:
            attach = self.node.telemetry.attach
            self._handlers = [attach(each, self._hear) for each in EVENTS]

    def _turn_away(self) -> None:
        for each in self._handlers:
            self.node.telemetry.detach(each)
        self._handlers = []

    def _hear(self, event: Event, measured: Any, told: Any) -> None:
        """Runs in the emitter: hands on what concerns a participant of a run."""
        noticed = Noticed(event, measured, told, self._now_ms())
        led = {each.participant for each in self._active()}
        if not led.isdisjoint(noticed.concerns()):
            self.node.cast(self.pid, noticed)

    def _active(self) -> list[Run]:
        return [each for each in self._runs.values() if each.state == RUNNING]

    def _find(self, run_id: str) -> Run:
        run = self._runs.get(run_id)
        if run is None:
            raise UnknownRun(run_id)
        return run

    def _save(self) -> None:
        """Keep what has changed; on a disk that refuses, again at the next tick."""
        for run_id in list(self._changed):
            try:
                if run_id in self._runs:
                    self._files.save(self._runs[run_id])
            except OSError as error:
                _log.warning("homologation_not_kept", run=run_id, error=type(error).__name__)
                return
            self._changed.discard(run_id)

    async def _ask_office(self, question: object) -> Any:
        return await self.node.call(OFFICE, question, timeout_ms=OFFICE_TIMEOUT_MS)

    def _now_ms(self) -> int:
        return to_ms(self.node.clock.now())


def state_of(step_id: str, capacity_seconds: int) -> StepState:
    level = STEPS[step_id].level
    return StepState(step_id, figures=Figures(level, capacity_seconds) if level else None)


def find_step(run: Run, step_id: str) -> StepState:
    """Find a step of a run.

    Raises:
        InvalidControl: It is not part of the run.
    """
    step = run.find(step_id)
    if step is None:
        raise InvalidControl("step", f"{step_id} is not part of the run")
    return step


def machine() -> str:
    """Describe the machine without naming it."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
