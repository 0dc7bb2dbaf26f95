"""Mutexes, events and semaphores, and waiting for several of them."""

from __future__ import annotations

import threading
import time

import pytest
import winipc
from support import SOON

KINDS = [winipc.Mutex, winipc.Event, winipc.Semaphore]


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_created_once_and_opened_after(kind, name):
    first = kind(name)
    second = kind(name)
    assert (first.created, second.created) == (True, False)
    with pytest.raises(FileExistsError):
        kind(name, mode="create")
    for item in (first, second):
        item.close()
    with pytest.raises(FileNotFoundError):
        kind(name, mode="open")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options", [{"mode": "new"}, {"scope": "world"}, {"sddl": "nonsense"}, {"security": "none"}]
)
def test_bad_options_are_value_errors(kind, name, options):
    with pytest.raises(ValueError):
        kind(name, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
def test_a_bad_name_is_a_value_error(kind, bad):
    with pytest.raises(ValueError):
        kind(bad)
    with pytest.raises(TypeError):
        kind(5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_closed_lock_is_an_invalid_handle(kind):
    item = kind()
    item.close()
    item.close()
    with pytest.raises(winipc.InvalidHandle):
        winipc.wait([item], timeout=0)


def test_a_mutex_keeps_other_threads_out(aside):
    mutex = winipc.Mutex()
    with mutex:
        with mutex:
            pass  # its owner may lock it again
        tried = aside(mutex.lock, 0.1)
        with pytest.raises(TimeoutError):
            tried.result(SOON)
    aside(lambda: (mutex.lock(SOON), mutex.unlock())).result(SOON)
    mutex.close()


def test_only_the_owner_unlocks(aside):
    mutex = winipc.Mutex()
    with pytest.raises(winipc.NotOwner):
        mutex.unlock()
    mutex.close()


def test_a_mutex_tells_that_its_owner_has_died(start, name):
    program = """
        import os, sys, winipc
        winipc.Mutex(sys.argv[1]).lock()
        print("locked", flush=True)
        sys.stdin.read(1)
        os._exit(0)
    """
    import subprocess

    mutex = winipc.Mutex(name)
    owner = start(program, name, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdout.readline().strip() == b"locked"
    with pytest.raises(winipc.Timeout):
        mutex.lock(0)
    owner.stdin.write(b"x")
    owner.stdin.close()
    mutex.lock(SOON)
    assert mutex.abandoned
    mutex.unlock()
    with mutex:
        assert not mutex.abandoned
    mutex.close()


def test_an_event_lets_one_waiter_go_or_all():
    with winipc.Event(is_set=True) as single, winipc.Event(manual=True, is_set=True) as manual:
        single.wait(SOON)
        with pytest.raises(winipc.Timeout):
            single.wait(0)
        manual.wait(SOON)
        manual.wait(0)
        manual.reset()
        with pytest.raises(winipc.Timeout):
            manual.wait(0)
        manual.set()
        manual.wait(0)


def test_an_event_wakes_another_process(start, name):
    program = """
        import sys, winipc
        with winipc.Event(sys.argv[1], mode="open") as event:
            event.set()
    """
    with winipc.Event(name) as event:
        child = start(program, name)
        event.wait(30)
        assert child.wait(30) == 0


def test_a_semaphore_counts():
    semaphore = winipc.Semaphore(count=2, limit=2)
    semaphore.acquire(0)
    with semaphore, pytest.raises(TimeoutError):
        semaphore.acquire(0)
    assert semaphore.release() == 1
    with pytest.raises(winipc.LimitReached):
        semaphore.release()
    semaphore.close()


@pytest.mark.parametrize(("count", "limit"), [(-1, 1), (2, 1), (0, 0), (0, 1 << 31), (1 << 40, 1 << 41)])
def test_a_semaphore_has_sensible_numbers(count, limit):
    with pytest.raises((ValueError, OverflowError)):
        winipc.Semaphore(count=count, limit=limit)


def test_a_lock_goes_by_its_handle(name):
    import _winapi

    current = _winapi.GetCurrentProcess()
    for kind in KINDS:
        item = kind(name + kind.__name__)
        copy = _winapi.DuplicateHandle(current, item.handle, current, 0, False, _winapi.DUPLICATE_SAME_ACCESS)
        other = kind.from_handle(copy)
        assert not other.created
        other.close()
        item.close()


def test_wait_for_any_tells_which():
    with winipc.Event() as first, winipc.Event() as second:
        with pytest.raises(winipc.Timeout):
            winipc.wait([first, second], timeout=0)
        second.set()
        assert winipc.wait([first, second], timeout=SOON) == 1
        with pytest.raises(winipc.Timeout):
            second.wait(0)


def test_wait_for_all_takes_all_or_none():
    with winipc.Event() as first, winipc.Event() as second:
        first.set()
        with pytest.raises(winipc.Timeout):
            winipc.wait([first, second], all=True, timeout=0.05)
        second.set()
        assert winipc.wait([first, second], all=True, timeout=SOON) == 0
        for event in (first, second):
            with pytest.raises(winipc.Timeout):
                event.wait(0)


def test_wait_locks_a_mutex_and_tells_of_its_dead_owner():
    mutex = winipc.Mutex()
    thread = threading.Thread(target=mutex.lock)
    thread.start()
    thread.join()
    with winipc.Event() as event:
        assert winipc.wait([event, mutex], timeout=SOON) == 1
    assert mutex.abandoned
    mutex.unlock()
    mutex.close()


def test_wait_wants_1_to_61_objects_each_once():
    with winipc.Event() as event:
        for objects in ([], [event, event], [event] * 63):
            with pytest.raises(winipc.Error):
                winipc.wait(objects, timeout=0)
    events = [winipc.Event(is_set=True) for _ in range(61)]
    assert winipc.wait(events, all=True, timeout=SOON) == 0
    for item in events:
        item.close()


@pytest.mark.parametrize("bad", [5, ["x"], [5]])
def test_wait_wants_objects(bad):
    with pytest.raises((TypeError, AttributeError)):
        winipc.wait(bad)


def test_other_threads_run_while_one_waits(aside):
    with winipc.Event() as event:
        waited, counted = aside(event.wait, 0.5), 0
        while not waited.done():
            counted += 1
            time.sleep(0.001)
        assert counted > 20


def test_a_token_ends_a_wait_before_and_while_it_waits(aside):
    token = winipc.CancelToken()
    with winipc.Event() as event:

        def wait():
            with token:
                event.wait()

        waiting = aside(wait)
        time.sleep(0.05)
        token.fire()
        with pytest.raises(winipc.Cancelled):
            waiting.result(SOON)
        with pytest.raises(winipc.Cancelled):
            aside(wait).result(SOON)
        token.reset()
        event.set()
        aside(wait).result(SOON)
    token.close()


def test_tokens_nest(aside):
    def work():
        outer, inner = winipc.CancelToken(), winipc.CancelToken()
        with winipc.Event() as event, outer:
            outer.fire()
            with inner, pytest.raises(winipc.Timeout):
                event.wait(0.01)
            with pytest.raises(winipc.Cancelled):
                event.wait(SOON)
        with winipc.Event() as event, pytest.raises(winipc.Timeout):
            event.wait(0.01)

    aside(work).result(SOON)
