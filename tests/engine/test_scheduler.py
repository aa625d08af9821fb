"""The scheduler: the same seed gives the same order, and time is nobody's but the timers'."""

import asyncio

import pytest

from tests.engine.scheduler import Scheduler, Stuck


def order(seed: int) -> list[tuple[str, int, float]]:
    told: list[tuple[str, int, float]] = []

    async def walk(name: str) -> None:
        for number in range(4):
            await asyncio.sleep(number % 2)
            told.append((name, number, asyncio.get_running_loop().time()))

    async def main() -> None:
        await asyncio.gather(*(walk(name) for name in "abcdef"))

    Scheduler(seed).run(main())
    return told


def test_the_same_seed_gives_the_same_order() -> None:
    assert order(7) == order(7)


def test_another_seed_gives_another_order() -> None:
    assert len({tuple(order(seed)) for seed in range(10)}) > 5


def test_time_moves_only_when_nothing_is_ready_and_by_as_much_as_the_next_timer_asks() -> None:
    steps: list[float] = []
    loop = Scheduler(1, moved=steps.append)

    async def busy() -> None:
        for _ in range(50):
            await asyncio.sleep(0)
        assert loop.time() == 0

    async def main() -> None:
        await asyncio.gather(busy(), asyncio.sleep(3600), asyncio.sleep(7))

    loop.run(main())
    assert steps == [7, 3593]


def test_a_timeout_comes_when_its_time_has_come() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.sleep(61)
        return asyncio.get_running_loop().time()

    assert Scheduler(1).run(main()) == 60


def test_what_waits_for_nothing_is_told_instead_of_hanging() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        Scheduler(1).run(main())


def test_there_are_no_threads() -> None:
    async def main() -> None:
        await asyncio.to_thread(print)

    with pytest.raises(RuntimeError, match="no threads"):
        Scheduler(1).run(main())


def test_a_task_that_nobody_waits_for_is_ended_with_the_main_one() -> None:
    ended: list[str] = []

    async def other() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("cancelled")

    async def main() -> str:
        task = asyncio.ensure_future(other())
        await asyncio.sleep(1)
        return "done" if not task.done() else "too late"

    assert Scheduler(1).run(main()) == "done"
    assert ended == ["cancelled"]
