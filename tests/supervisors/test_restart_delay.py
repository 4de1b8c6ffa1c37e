"""The pause between failed attempts to start a child again."""

from actors import Failed, GenServer, Node, Stop, StopInit, VirtualClock
from supervisors import ChildState, Supervisor, which_children, worker


class Flaky(GenServer):
    """Starts, and then fails to start twice."""

    attempts = 0

    async def init(self) -> StopInit | None:
        Flaky.attempts += 1
        return StopInit(Failed("not yet")) if Flaky.attempts in {2, 3} else None

    async def handle_cast(self, message: Stop) -> Stop:
        return message


async def test_failed_restarts_wait_and_the_supervisor_answers_meanwhile() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock)
    Flaky.attempts = 0
    spec = worker("flaky", Flaky, name="flaky", restart_delay_ms=100)
    supervisor = await node.start(Supervisor([spec], max_restarts=5))
    attempts = []

    node.cast("flaky", Stop(Failed("now")))
    for _ in range(4):
        await clock.advance(50)
        attempts.append(Flaky.attempts)
        (child,) = await which_children(node, supervisor)
        assert (child.state is ChildState.RUNNING) == (Flaky.attempts == 4)

    assert attempts == [2, 3, 3, 4]
    await node.shutdown()
