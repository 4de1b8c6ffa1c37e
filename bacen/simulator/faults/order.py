"""What one asks for: a fault as JSON, as words of a command, or as a line of a scenario file.

A line is the name of a fault and `field=value`, in any order; `#` begins a comment:

    late by=5s ispb=12345678 probability=0.3 from=10s for=1m
"""

import re
from decimal import Decimal
from pathlib import Path

import msgspec

from bacen.simulator.durations import duration_ms
from bacen.simulator.errors import NOT_JSON, InvalidControl
from bacen.simulator.faults.kinds import KINDS, SERVICES, FaultKind

SCENARIO_FAULTS_MAX = 1_000
CHANCE_MIN = Decimal("0.000001")
DURATION_MS_MAX = 366 * 86_400_000
_ISPB = re.compile(r"[0-9A-Z]{8}")
_MESSAGE = re.compile(r"[a-z]{4}\.[0-9]{3}")


class FaultOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault as it is asked for; `check` says whether it can be had.

    Attributes:
        fault: Its name in `KINDS`.
        by: How late, how slow, how far off: a length of time such as `5s`.
        ispb: Whom it meets; None: everybody.
        message: Kind of message, such as `pacs.002`.
        service: `icom` or `dict`; None: both.
        probability: How often, above 0 and at most 1, drawn from the node's generator.
        next: How many times it strikes at most.
        from_: From when on, after it was added.
        for_: How long from then; None: until it is removed.
    """

    fault: str
    by: str | None = None
    ispb: str | None = None
    message: str | None = None
    service: str | None = None
    probability: Decimal | None = None
    next: int | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    for_: str | None = msgspec.field(default=None, name="for")

    def check(self) -> FaultKind:
        """Give its kind.

        Raises:
            InvalidControl: There is no such fault, or it cannot be had like this.
        """
        kind = KINDS.get(self.fault)
        if kind is None:
            raise InvalidControl("fault", f"{self.fault!r} is none of {', '.join(KINDS)}")
        for field, is_taken in (
            ("by", kind.by is not None),
            ("ispb", kind.takes_ispb),
            ("message", kind.takes_message),
            ("service", kind.takes_service),
        ):
            if getattr(self, field) is not None and not is_taken:
                raise InvalidControl(field, f"{self.fault} takes none")
        if self.by is not None and self.by.startswith("-") and not kind.is_signed:
            raise InvalidControl("by", "must not be negative")
        self._check_forms()
        return kind

    def _check_forms(self) -> None:
        if self.ispb is not None and _ISPB.fullmatch(self.ispb) is None:
            raise InvalidControl("ispb", "eight digits or capital letters")
        if self.message is not None and _MESSAGE.fullmatch(self.message) is None:
            raise InvalidControl("message", "a kind such as pacs.002")
        if self.service is not None and self.service not in SERVICES:
            raise InvalidControl("service", f"one of {', '.join(SERVICES)}")
        chance = self.probability
        if chance is not None and not (chance.is_finite() and CHANCE_MIN <= chance <= 1):
            raise InvalidControl("probability", f"from {CHANCE_MIN} to 1")
        if self.next is not None and self.next < 1:
            raise InvalidControl("next", "at least 1")
        for field, given in (("by", self.by), ("from", self.from_), ("for", self.for_)):
            if given is not None:
                try:
                    ms = duration_ms(given.removeprefix("-") if field == "by" else given)
                except InvalidControl as error:
                    raise InvalidControl(field, error.problem) from None
                if ms > DURATION_MS_MAX:
                    raise InvalidControl(field, "at most 366d")


def order_of_json(body: bytes) -> FaultOrder:
    """Read an order from JSON.

    Raises:
        InvalidControl: It is none, or cannot be had.
    """
    try:
        order = msgspec.json.decode(body, type=FaultOrder)
    except NOT_JSON as error:
        raise InvalidControl("body", str(error)) from None
    order.check()
    return order


def order_of_words(words: list[str]) -> FaultOrder:
    """Read an order from the words of a line or a command.

    Raises:
        InvalidControl: It is none, or cannot be had.
    """
    names = [each for each in words if "=" not in each]
    if len(names) != 1:
        raise InvalidControl("fault", "one name of a fault, then field=value")
    fields: dict[str, str] = {"fault": names[0]}
    for word in words:
        field, equals, value = word.partition("=")
        if not equals:
            continue
        if field in fields:
            raise InvalidControl(field, "given twice")
        fields[field] = value
    try:
        order = msgspec.convert(fields, FaultOrder, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidControl("fault", str(error)) from None
    order.check()
    return order


def read_scenario(path: Path) -> tuple[FaultOrder, ...]:
    """Read a scenario file: one line a fault.

    Raises:
        InvalidControl: A line cannot be obeyed (`place` says which), or there are too many.
        OSError: The file cannot be read.
        UnicodeDecodeError: It is no text.
    """
    orders: list[FaultOrder] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        place = f"{path}:{number}"
        if len(orders) == SCENARIO_FAULTS_MAX:
            raise InvalidControl("scenario", f"more than {SCENARIO_FAULTS_MAX} faults", place)
        try:
            orders.append(order_of_words(words))
        except InvalidControl as error:
            raise InvalidControl(error.field, error.problem, place) from None
    return tuple(orders)
