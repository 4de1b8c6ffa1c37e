"""Content models as automata: which child may follow which (Glushkov's construction).

The schemas are deterministic, so a child is looked up once and never tried twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bacen.wire.schema.notation import UNBOUNDED, Group, Leaf, Particle, Repeated, Wildcard

T = TypeVar("T")


@dataclass(slots=True)
class State(Generic[T]):
    """A place between two children.

    Attributes:
        named: Name of a child in Clark notation -> where it leads, and what it is.
        wild: Wildcards that may follow -> where they lead.
        may_end: The content may end here.
    """

    named: dict[str, tuple[int, T]] = field(default_factory=dict)
    wild: list[tuple[Wildcard, int]] = field(default_factory=list)
    may_end: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    """Positions of a part of the content: those it may begin and end with."""

    first: frozenset[int]
    last: frozenset[int]
    may_be_empty: bool


class _Builder:
    """Numbers the leaves and notes which may follow which."""

    def __init__(self) -> None:
        self.leaves: list[Leaf | Wildcard] = []
        self.follow: list[set[int]] = [set()]

    def span(self, particle: Particle) -> _Span:
        match particle:
            case Leaf() | Wildcard():
                self.leaves.append(particle)
                self.follow.append(set())
                own = frozenset({len(self.leaves)})
                return _Span(own, own, may_be_empty=False)
            case Group(parts, is_choice):
                spans = [self.span(part) for part in parts]
                return _choice(spans) if is_choice else self._sequence(spans)
            case Repeated():
                return self._repeated(particle)

    def _repeated(self, particle: Repeated) -> _Span:
        """Write `a{1,3}` as `a(a(a)?)?`: after each one only the next may follow."""
        least, most = particle.least, particle.most
        count = max(least, 1) if most == UNBOUNDED else most
        spans = [self.span(particle.part) for _ in range(count)]
        if most == UNBOUNDED:
            self._link(spans[-1].last, spans[-1].first)
        whole = self._sequence([])
        for number in reversed(range(count)):
            rest = self._sequence([spans[number], whole])
            may_be_empty = rest.may_be_empty or number >= least
            whole = _Span(rest.first, rest.last, may_be_empty=may_be_empty)
        return whole

    def _sequence(self, spans: list[_Span]) -> _Span:
        whole = _Span(frozenset(), frozenset(), may_be_empty=True)
        for span in spans:
            self._link(whole.last, span.first)
            whole = _Span(
                whole.first | span.first if whole.may_be_empty else whole.first,
                whole.last | span.last if span.may_be_empty else span.last,
                may_be_empty=whole.may_be_empty and span.may_be_empty,
            )
        return whole

    def _link(self, before: Iterable[int], after: Iterable[int]) -> None:
        for position in before:
            self.follow[position].update(after)


def _choice(spans: list[_Span]) -> _Span:
    return _Span(
        frozenset().union(*(span.first for span in spans)),
        frozenset().union(*(span.last for span in spans)),
        may_be_empty=any(span.may_be_empty for span in spans),
    )


def compile_content(content: Particle, resolve: Callable[[Leaf], tuple[str, T]]) -> list[State[T]]:
    """Build the automaton; it starts in state 0.

    Args:
        content: What `notation.parse_content` read.
        resolve: Gives the Clark name of an element and what stands for it.
    """
    builder = _Builder()
    span = builder.span(content)
    builder.follow[0] = set(span.first)
    states: list[State[T]] = []
    for position, following in enumerate(builder.follow):
        state: State[T] = State()
        state.may_end = position in span.last or (position == 0 and span.may_be_empty)
        for next_position in sorted(following):
            leaf = builder.leaves[next_position - 1]
            if isinstance(leaf, Wildcard):
                state.wild.append((leaf, next_position))
            else:
                name, meaning = resolve(leaf)
                state.named[name] = (next_position, meaning)
        states.append(state)
    return states
