"""The state of one run, and how it changes with what is seen: no clock, no disk, no network."""

from collections.abc import Iterable
from typing import Final

import msgspec

from bacen.simulator.cockpit.capacity import Figures
from bacen.simulator.cockpit.script import STEPS
from bacen.simulator.cockpit.sights import FINISHED, NO, RECEIVED, YES, Sight
from bacen.simulator.cockpit.steps import Act, Check

WAITING: Final = "WAITING"
RUNNING: Final = "RUNNING"
PASSED: Final = "PASSED"
FAILED: Final = "FAILED"
SKIPPED: Final = "SKIPPED"
STOPPED: Final = "STOPPED"
SIGHTS_KEPT = 5
CHANNELS_KEPT = 1_000
TIME_OVER = "the time of the step is over"


class PayeeAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account that the bank pays, and one that the participant has to refuse."""

    account_number: str = "1000001"
    account_type: str = "TRAN"
    tax_id: str = "13579246828"
    branch: str | None = None
    wrong_account_number: str = "AC0300001"


class CheckState(msgspec.Struct):
    """How often a check was met, and by what."""

    text: str
    need: int
    count: int = 0
    seen: list[Sight] = []

    @property
    def is_met(self) -> bool:
        return self.count >= self.need


class StepState(msgspec.Struct):
    """How a step of a run stands.

    Attributes:
        id: Of the step.
        checks: As the step lists them.
        figures: Of a capacity test.
        done: What the bank did by itself, with the ids of it.
        ordered: EndToEndIds and RtrIds of the same.
        channels: Of messages that came, by their id: a payment's end does not tell its channel.
    """

    id: str
    state: str = WAITING
    began_ms: int = 0
    ended_ms: int = 0
    reason: str = ""
    checks: list[CheckState] = []
    figures: Figures | None = None
    done: list[str] = []
    ordered: list[str] = []
    channels: dict[str, str] = {}

    def begin(self, now_ms: int) -> None:
        self.state, self.began_ms, self.ended_ms, self.reason = RUNNING, now_ms, 0, ""
        self.checks = [CheckState(each.text, each.need) for each in STEPS[self.id].checks]
        self.done, self.ordered, self.channels = [], [], {}
        if self.figures is not None:
            old = self.figures
            self.figures = Figures(old.per_second, old.seconds, began_ms=now_ms)

    def end(self, state: str, now_ms: int, reason: str = "") -> None:
        self.state, self.ended_ms, self.reason = state, now_ms, reason


class BankFacts(msgspec.Struct, frozen=True):
    """What evidence says about the bank that saw it."""

    version: str
    machine: str
    is_simulated: bool = True


class Run(msgspec.Struct, kw_only=True):
    """One homologation of one participant; times are the bank's, in milliseconds since 1970."""

    id: str
    participant: str
    name: str
    payee: PayeeAccount
    step_ms: int
    began_ms: int
    steps: list[StepState]
    bank: BankFacts
    state: str = RUNNING
    ended_ms: int = 0

    @property
    def fits_script(self) -> bool:
        """Whether its steps are those of the script of today."""
        return all(
            each.id in STEPS and len(each.checks) in {0, len(STEPS[each.id].checks)}
            for each in self.steps
        )

    @property
    def current(self) -> StepState | None:
        """The step under way."""
        return next((each for each in self.steps if each.state == RUNNING), None)

    def find(self, step_id: str) -> StepState | None:
        return next((each for each in self.steps if each.id == step_id), None)

    def begin_next(self, now_ms: int) -> list[Act]:
        """Begin the next step that waits, or end the run; gives what the bank has to do."""
        step = next((each for each in self.steps if each.state == WAITING), None)
        if step is None:
            are_passed = all(each.state == PASSED for each in self.steps)
            self.state, self.ended_ms = (PASSED if are_passed else FAILED), now_ms
            return []
        step.begin(now_ms)
        return [each for each in STEPS[step.id].acts if each.after is None]

    def stop(self, now_ms: int) -> None:
        """End the run before its end."""
        if self.current is not None:
            self.current.end(STOPPED, now_ms)
        self.state, self.ended_ms = STOPPED, now_ms

    def observe(self, sight: Sight) -> list[Act]:
        """Take in what was seen; gives what the bank has to do now."""
        step = self.current
        if step is None:
            return []
        if step.figures is not None:
            step.figures.note(sight)
            return []
        return observe_step(step, sight)

    def judge(self, now_ms: int) -> bool:
        """End the step under way if it can be; gives whether it ended."""
        step = self.current
        if step is None:
            return False
        if step.figures is not None:
            if not step.figures.is_over(now_ms):
                return False
            bad = [each.text for each in step.figures.gauges() if not each.is_met]
            step.end(FAILED if bad else PASSED, now_ms, "; ".join(bad))
            return True
        if all(each.is_met for each in step.checks):
            step.end(PASSED, now_ms)
        elif now_ms >= step.began_ms + self.step_ms:
            step.end(FAILED, now_ms, TIME_OVER)
        return step.state != RUNNING


def observe_step(step: StepState, sight: Sight) -> list[Act]:
    """Count a sight where it counts; one that fails the step ends it."""
    script = STEPS[step.id]
    sight = completed(step, sight)
    newly_met: list[int] = []
    is_counted = False
    for number, (check, state) in enumerate(zip(script.checks, step.checks, strict=True)):
        if check.matches(sight):
            is_counted = True
            state.count += 1
            if len(state.seen) < SIGHTS_KEPT:
                state.seen.append(sight)
            if state.count == state.need:
                newly_met.append(number)
    broken = None if is_counted else first_match(script.failures, sight)
    if broken is not None:
        reason = " ".join(filter(None, (broken.text, sight.text("reason"))))
        step.end(FAILED, sight.at_ms, reason)
        return []
    return [each for each in script.acts if each.after in newly_met]


def completed(step: StepState, sight: Sight) -> Sight:
    """Add what the step knows: the channel of a payment, and whether the bank began it."""
    if sight.kind == RECEIVED and len(step.channels) < CHANNELS_KEPT:
        step.channels[sight.text("message_id")] = sight.text("channel")
    if sight.kind != FINISHED:
        return sight
    is_ordered = sight.text("instruction_id") in step.ordered
    more = {
        "ordered": YES if is_ordered else NO,
        "channel": step.channels.get(sight.text("message_id"), ""),
    }
    return msgspec.structs.replace(sight, fields={**sight.fields, **more})


def first_match(checks: Iterable[Check], sight: Sight) -> Check | None:
    return next((each for each in checks if each.matches(sight)), None)
