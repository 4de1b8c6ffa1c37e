"""What goes wrong with stages and pipelines.

PipelineError
├── InvalidSubscription, InvalidPipeline    the description is wrong; nothing was started
├── QueueFull                               nothing was taken; push again later
└── BadAnswer, UnknownBatcher               why a message failed
"""

from dataclasses import dataclass

from actors import ActorError


@dataclass(eq=False)
class PipelineError(ActorError):
    """Root of the errors of this room."""


@dataclass(eq=False)
class InvalidSubscription(PipelineError):
    """A subscription that cannot be obeyed.

    Attributes:
        field: The option that is wrong.
        problem: What is wrong with it.
    """

    field: str
    problem: str


@dataclass(eq=False)
class InvalidPipeline(PipelineError):
    """A pipeline option that cannot be obeyed.

    Attributes:
        field: The option that is wrong.
        problem: What is wrong with it.
    """

    field: str
    problem: str


@dataclass(eq=False)
class QueueFull(PipelineError):
    """A producer in memory takes no more; none of what was pushed was taken.

    Attributes:
        queue_max: Messages it holds.
    """

    queue_max: int


@dataclass(eq=False)
class BadAnswer(PipelineError):
    """A callback answered something that it may not answer.

    Attributes:
        callback: Which one.
        answer: Type name of the answer, or what is wrong with it.
    """

    callback: str
    answer: str


@dataclass(eq=False)
class UnknownBatcher(PipelineError):
    """A message names a batcher that the pipeline does not have.

    Attributes:
        batcher: The name.
    """

    batcher: str
