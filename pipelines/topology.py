"""A pipeline as a supervision tree (docs/pipelines.md); no logic beside what starts whom.

rest_for_one: rate limiter, producers, processors, batchers, terminator. So a producer that ends is
started again alone, a processor takes all behind it along, a batcher its batch processors.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from actors import ExitReason, GenServer, Node, Pid, StopInit
from pipelines.batch_processor import BatchProcessor
from pipelines.batcher import Batcher
from pipelines.callbacks import Pipeline, Plan
from pipelines.options import PipelineOptions
from pipelines.processor import Processor
from pipelines.rate_limiter import RateLimiter, RateWindow
from pipelines.source import Source
from pipelines.spans import TOPOLOGY
from pipelines.terminator import DRAIN_AT_END, Terminator
from supervisors import ChildSpec, ChildType, Restart, Strategy, Supervisor, Within, worker
from supervisors import supervisor as supervised

_BATCHER_MAX_RESTARTS: Final = 4
_BATCHER_MAX_SECONDS: Final = 2


class PipelineSupervisor(Supervisor):
    """The top of a pipeline's tree; drains it before it stops.

    Args:
        pipeline: What is done with messages.
        options: How.
    """

    def __init__(self, pipeline: Pipeline, options: PipelineOptions) -> None:
        self._plan = Plan(pipeline, options)
        super().__init__(_children(self._plan), strategy=Strategy.REST_FOR_ONE)

    async def init(self) -> StopInit | None:
        """Start all stages."""
        self._plan.pipeline.node = self.node
        options = self._plan.options
        about = {"pipeline": options.name, "supervisor": self.pid}
        with TOPOLOGY.around(self.node.telemetry, about):
            return await super().init()

    async def terminate(self, reason: ExitReason) -> None:
        """Drain, then stop all stages, last first."""
        self.node.send(self._plan.terminator, DRAIN_AT_END)
        await super().terminate(reason)


def _children(plan: Plan) -> list[ChildSpec]:
    options = plan.options
    limit = options.producer.rate_limit
    window = RateWindow() if limit is not None else None
    children = []
    if limit is not None and window is not None:
        shared, allowed = window, limit
        children.append(_stage(plan, plan.rate_limiter, lambda: RateLimiter(shared, allowed)))
    children += [_producers(plan, window), _processors(plan)]
    if options.batchers:
        children.append(_batchers(plan))
    children.append(_stage(plan, plan.terminator, lambda: Terminator(plan)))
    return children


def _producers(plan: Plan, window: RateWindow | None) -> ChildSpec:
    def make() -> Source:
        source = plan.options.producer.make()
        source.attach(plan, window)
        return source

    count = plan.options.producer.concurrency
    return supervised(
        "producers",
        [_stage(plan, name, make) for name in plan.producers],
        max_restarts=2 * count,
        max_seconds=count,
    )


def _processors(plan: Plan) -> ChildSpec:
    def make(index: int) -> Callable[[], Processor]:
        return lambda: Processor(plan, index)

    stages = [_stage(plan, name, make(index)) for index, name in enumerate(plan.processors)]
    return supervised("processors", stages, strategy=Strategy.ONE_FOR_ALL, max_restarts=0)


def _batchers(plan: Plan) -> ChildSpec:
    count = len(plan.options.batchers)
    batchers = [_batcher(plan, batcher) for batcher in plan.options.batchers]
    return supervised("batchers", batchers, max_restarts=2 * count, max_seconds=count)


def _batcher(plan: Plan, batcher: str) -> ChildSpec:
    def make(index: int) -> Callable[[], BatchProcessor]:
        return lambda: BatchProcessor(plan, batcher, index)

    names = plan.batch_processors(batcher)
    behind = supervised(
        "batch_processors",
        [_stage(plan, name, make(index)) for index, name in enumerate(names)],
        strategy=Strategy.ONE_FOR_ALL,
        max_restarts=0,
    )
    return supervised(
        batcher,
        [_stage(plan, plan.batcher(batcher), lambda: Batcher(plan, batcher)), behind],
        strategy=Strategy.REST_FOR_ONE,
        max_restarts=_BATCHER_MAX_RESTARTS,
        max_seconds=_BATCHER_MAX_SECONDS,
    )


def _stage(plan: Plan, name: str, factory: Callable[[], GenServer]) -> ChildSpec:
    return worker(name, factory, name=name, shutdown=Within(plan.options.shutdown_ms))


async def start_pipeline(node: Node, pipeline: Pipeline, options: PipelineOptions) -> Pid:
    """Start a pipeline; stop it with `Node.stop`, which drains it.

    Raises:
        AlreadyStarted: One of this name runs.
        StartFailed: A stage did not start.
    """
    return await node.start(PipelineSupervisor(pipeline, options), name=options.name)


def pipeline_child(
    make: Callable[[], Pipeline],
    options: PipelineOptions,
    *,
    restart: Restart = Restart.PERMANENT,
) -> ChildSpec:
    """Specification of a pipeline below a supervisor.

    Args:
        make: Makes the callbacks, anew for each start.
        options: The pipeline.
        restart: When it is started again.
    """

    def start(node: Node) -> Awaitable[Pid]:
        return start_pipeline(node, make(), options)

    return ChildSpec(id=options.name, start=start, restart=restart, type=ChildType.SUPERVISOR)
