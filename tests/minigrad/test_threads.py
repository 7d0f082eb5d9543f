"""The switches of the engine belong to one thread, one task, one block."""
import asyncio
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tape import tape


def side_by_side(*works):
    """Results of functions run in threads; each is called with a barrier to meet the others at."""
    barrier, results = threading.Barrier(len(works), timeout=20), [None] * len(works)

    def run(i, work):
        try:
            results[i] = work(barrier.wait)
        except Exception as error:                   # noqa: BLE001  (shown by the comparison)
            results[i] = error
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    [t.start() for t in threads], [t.join() for t in threads]
    return results


def test_no_grad_of_another_thread_switches_nothing_off():
    def gradient(meet):
        def f(x):
            y = x * x
            meet(), meet()                           # the other one is in its block now
            return y * x
        return float(mg.grad(f)(xp.asarray(2.0)))

    def off(meet):
        with mg.no_grad():
            meet(), meet()
        return tape.recording
    assert side_by_side(gradient, off) == [12.0, True]


def test_overlapping_blocks_leave_nothing_off():
    def first(meet):
        with mg.no_grad():
            meet()
        meet()
        return tape.recording

    def second(meet):
        meet()
        with mg.no_grad():
            meet()
        return tape.recording
    assert side_by_side(first, second) == [True, True] and tape.recording
    block = mg.no_grad()                             # the same block twice, one inside the other
    with block:
        with block:
            pass
        assert not tape.recording
    assert tape.recording

    @mg.no_grad()
    def f(x):
        return x * x
    assert f(mg.tensor(2.0)).number == 0 and tape.recording


def test_a_transform_of_another_thread_is_not_an_outer_one():
    def slow(meet):
        def f(x):
            meet(), meet()
            return x * x
        return float(mg.grad(f)(xp.asarray(2.0)))

    def quick(meet):
        meet()
        value, g = mg.value_and_grad(lambda x: mg.sum(x * x))(xp.asarray([1.0, 2.0]))
        meet()
        return type(value) is not mg.Tensor and type(g) is xp.ndarray and to_host(g).tolist()
    assert side_by_side(slow, quick) == [4.0, [2.0, 4.0]]


def test_many_threads_give_what_one_gives():
    rng = np.random.default_rng(0)
    W, x = xp.asarray(rng.standard_normal((5, 5))), xp.asarray(rng.standard_normal((3, 5)))
    f = lambda W: mg.sum(mg.tanh(x @ W) ** 2)
    right = to_host(mg.hvp(f, W)(W)).tolist()

    def work(meet):
        meet()
        return all(to_host(mg.hvp(f, W)(W)).tolist() == right for _ in range(30))
    assert side_by_side(*[work] * 4) == [True] * 4


def test_tasks_of_an_event_loop_do_not_meet():
    async def off():
        with mg.no_grad():
            await asyncio.sleep(0.01)

    async def on():
        await asyncio.sleep(0.003)                   # the other task is inside its block
        return tape.recording, (mg.tensor(2.0) * 2.0).number > 0

    async def both():
        return (await asyncio.gather(off(), on()))[1]
    assert asyncio.run(both()) == (True, True)


def test_the_switch_is_back_after_an_error_in_a_transform():
    with mg.no_grad(), pytest.raises(ZeroDivisionError):
        mg.grad(lambda x: x * (1 / 0))(1.0)
    assert tape.recording and tape.depth == 0
