"""Ctrl-C ends what the main thread waits in."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest
import winipc
from support import SOON

pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="these wait on the main thread"
)


@pytest.fixture
def interrupts():
    """Raises SIGINT on another thread, after some seconds each, as the console's handler does."""
    threads = []

    def interrupt(*delays):
        def work():
            for delay in delays:
                time.sleep(delay)
                signal.raise_signal(signal.SIGINT)

        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield interrupt
    for thread in threads:
        thread.join()


@pytest.fixture
def counted():
    """A handler of SIGINT that raises nothing; the list has an item for each time."""
    times = []
    old = signal.signal(signal.SIGINT, lambda *_: times.append(time.monotonic()))
    yield times
    signal.signal(signal.SIGINT, old)


def waits(address, pair):
    """Every way to wait, each for ever."""
    client, server = pair
    full = bytes(1_000_000)
    return {
        "receive": lambda: client.receive(),
        "receive_into": lambda: client.receive_into(bytearray(10)),
        "receive_part": lambda: client.receive_part(bytearray(10)),
        "send": lambda: [client.send(full) for _ in range(100)],
        "send_parts": lambda: [client.send_parts([full]) for _ in range(100)],
        "transact": lambda: client.transact(b"request"),
        "drain": lambda: (client.send(b"x"), client.drain()),
        "iterate": lambda: list(server),
        "accept": lambda: accept(address),
        "connect": lambda: winipc.connect(address + "-not-there", timeout=None),
        "mutex": lambda: taken_mutex().lock(),
        "event": lambda: winipc.Event(address).wait(),
        "semaphore": lambda: winipc.Semaphore(count=0).acquire(),
        "any": lambda: winipc.wait([winipc.Event(), winipc.Event()]),
        "all": lambda: winipc.wait([winipc.Event(), winipc.Event()], all=True),
        "process": lambda: with_sleeper(lambda process: process.wait()),
        "communicate": lambda: with_sleeper(lambda process: process.communicate()),
        "receive_handle": lambda: client.receive_handle(),
    }


def channel_waits(channels):
    a, b = channels
    full = bytes(500_000)
    return {
        "receive": lambda: b.receive(),
        "receive_into": lambda: b.receive_into(bytearray(10)),
        "receive_into a large one": lambda: b.receive_into(bytearray(100_000)),
        "receive_many": lambda: b.receive_many(),
        "peek": lambda: b.peek(),
        "iterate": lambda: list(b),
        "send": lambda: [a.send(bytes(60_000)) for _ in range(100)],
        "send a large one": lambda: [a.send(full) for _ in range(100)],
        "send_many": lambda: a.send_many([full] * 100),
        "reserve": lambda: [a.reserve(60_000).commit() for _ in range(100)],
        "drain": lambda: (a.send(b"x"), a.drain()),
        "open": lambda: winipc.Channel("winipc-test-nobody-comes", timeout=None),
        "subscribe": lambda: winipc.Subscriber("winipc-test-nobody-comes", timeout=None),
        "look": lambda: winipc.channel_members("winipc-test-nobody-comes", timeout=None),
    }


def taken_mutex():
    mutex = winipc.Mutex()
    thread = threading.Thread(target=lambda: (mutex.lock(), time.sleep(1)))
    thread.start()
    time.sleep(0.05)
    return mutex


def with_sleeper(wait):
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with winipc.Process(sleep, stdout="pipe", kill_with_parent=True) as process:
        wait(process)


def accept(address):
    with winipc.listen(address + "-2") as listener:
        listener.accept()


WAYS = list(waits("", (None, None)))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("way", WAYS)
def test_ctrl_c_ends_a_wait(address, pair, interrupts, way):
    interrupts(0.2)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        waits(address, pair)[way]()
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize("way", list(channel_waits((None, None))))
def test_ctrl_c_ends_a_wait_of_a_channel(channels, interrupts, way):
    interrupts(0.2)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        channel_waits(channels)[way]()
    assert time.monotonic() - began < SOON


def test_ctrl_c_ends_a_loop_that_never_waits(channels, interrupts):
    a, b = channels
    interrupts(0.2)
    with pytest.raises(KeyboardInterrupt):
        while True:
            a.send(b"x")
            b.receive()


def test_a_channel_lets_a_wait_go_on_after_a_handler(channels, interrupts, counted, aside):
    a, b = channels
    interrupts(0.1, 0.1)
    aside(lambda: (time.sleep(0.5), a.send_many([b"one", b"two"])))
    with b.peek() as view:
        assert view == b"one"
    assert b.receive_many() == [b"two"]
    assert len(counted) == 2


def test_after_ctrl_c_calls_wait_as_before(pair, interrupts):
    client, server = pair
    for _ in range(3):
        interrupts(0.1)
        with pytest.raises(KeyboardInterrupt):
            client.receive()
        with pytest.raises(winipc.Timeout):
            client.receive(0.1)
        server.send(b"x")
        assert client.receive() == b"x"


def test_a_handler_that_raises_nothing_lets_the_wait_go_on(pair, interrupts, counted, aside):
    client, server = pair
    interrupts(0.1, 0.1, 0.1)
    aside(lambda: (time.sleep(0.6), server.send(b"late")))
    assert client.receive() == b"late"
    assert len(counted) == 3


def test_output_is_not_lost_to_an_interrupt(interrupts, counted):
    program = "import time; print('one', flush=True); time.sleep(1.5); print('two')"
    with winipc.Process([sys.executable, "-c", program], stdout="pipe") as process:
        interrupts(0.8, 0.2)
        assert process.communicate()[0].split() == [b"one", b"two"]
    assert len(counted) == 2


def test_the_time_of_a_wait_that_goes_on_is_not_prolonged(pair, interrupts, counted):
    interrupts(0.2, 0.2)
    began = time.monotonic()
    with pytest.raises(winipc.Timeout):
        pair[0].receive(0.6)
    assert 0.5 < time.monotonic() - began < 2
    assert len(counted) == 2


def test_an_interrupt_from_before_ends_no_later_wait(pair, counted):
    signal.raise_signal(signal.SIGINT)
    assert len(counted) == 1
    with pytest.raises(winipc.Timeout):
        pair[0].receive(0.2)
    assert len(counted) == 1


def test_a_cancel_is_no_interrupt(pair, aside):
    aside(lambda: (time.sleep(0.1), pair[0].cancel()))
    with pytest.raises(winipc.Cancelled):
        pair[0].receive()


def test_other_threads_are_not_interrupted(pair, interrupts, aside):
    blocked = aside(pair[0].receive)
    interrupts(0.1)
    with pytest.raises(KeyboardInterrupt):
        pair[1].receive()
    assert not blocked.done()
    pair[1].send(b"still there")
    assert blocked.result(SOON) == b"still there"


def test_a_token_and_ctrl_c_each_end_a_wait(pair, interrupts, aside):
    client, _ = pair
    with winipc.CancelToken() as token:
        aside(lambda: (time.sleep(0.1), token.fire()))
        with pytest.raises(winipc.Cancelled):
            client.receive()
        token.reset()
        interrupts(0.1)
        with pytest.raises(KeyboardInterrupt):
            client.receive()
    interrupts(0.1)
    with pytest.raises(KeyboardInterrupt):
        client.receive()


CONSOLE = """
import ctypes, sys, winipc
ctypes.WinDLL("kernel32").SetConsoleCtrlHandler(None, False)
with winipc.listen(sys.argv[1]) as listener:
    print("ready", flush=True)
    try:
        listener.accept()
    except KeyboardInterrupt:
        sys.exit(42)
"""


def test_ctrl_c_of_the_console_ends_a_wait(address):
    """In a console of its own, so that the event reaches nobody else."""
    helper = f"""
import ctypes, subprocess, sys, time
kernel32 = ctypes.WinDLL("kernel32")
child = subprocess.Popen([sys.executable, "-c", {CONSOLE!r}, {address!r}], stdout=subprocess.PIPE)
child.stdout.readline()
time.sleep(0.2)
kernel32.SetConsoleCtrlHandler(None, True)
if not kernel32.GenerateConsoleCtrlEvent(0, 0):
    sys.exit(77)
try:
    sys.exit(child.wait(20))
except subprocess.TimeoutExpired:
    child.kill()
    sys.exit(78)
"""
    flags = subprocess.CREATE_NEW_CONSOLE if hasattr(subprocess, "CREATE_NEW_CONSOLE") else 0
    code = subprocess.run([sys.executable, "-c", helper], creationflags=flags, timeout=50).returncode
    if code == 77:
        pytest.skip("no console here")
    assert code == 42
