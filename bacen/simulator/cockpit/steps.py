"""What a step of the script is made of."""

import msgspec

from bacen.simulator.cockpit.sights import Sight


class Act(msgspec.Struct, frozen=True):
    """What the bank does by itself in a step.

    Attributes:
        name: Of what: `bacen.simulator.cockpit.acts`.
        after: Number of the check that has to be met before, as the step lists them; None does it
            when the step begins.
    """

    name: str
    after: int | None = None


class Check(msgspec.Struct, frozen=True):
    """What has to be seen for a step to pass.

    Attributes:
        text: Short, for people.
        kind: Of the sight.
        where: Fields of the sight and the values that will do.
        at_most: Fields that must be there and not be larger, in milliseconds.
        need: How many such sights.
    """

    text: str
    kind: str
    where: dict[str, tuple[str, ...]] = {}
    at_most: dict[str, int] = {}
    need: int = 1

    def matches(self, sight: Sight) -> bool:
        """Say whether a sight counts."""
        if sight.kind != self.kind:
            return False
        if any(sight.text(name) not in values for name, values in self.where.items()):
            return False
        return all(
            name in sight.fields and sight.number(name) <= most
            for name, most in self.at_most.items()
        )


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the script.

    Attributes:
        id: Such as `2a`.
        title: In the words of the field.
        english: The same, short.
        do: What the participant has to do.
        bank: What the bank does by itself.
        acts: The same, for the bank.
        checks: All have to be met.
        failures: One of them ends the step at once.
        level: Of a capacity test: payments a second in each direction.
    """

    id: str
    title: str
    english: str
    do: str
    bank: str
    acts: tuple[Act, ...] = ()
    checks: tuple[Check, ...] = ()
    failures: tuple[Check, ...] = ()
    level: int | None = None


class Level(msgspec.Struct, frozen=True):
    """A size of the capacity test: payments a second, and for whom it is."""

    per_second: int
    does: str


def check(text: str, kind: str, /, **where: str | tuple[str, ...]) -> Check:
    """Write a check; a field may have one value or several."""
    values = {name: (each,) if isinstance(each, str) else each for name, each in where.items()}
    return Check(text, kind, values)
