"""Channels between two: messages, options, ends, and other processes."""

from __future__ import annotations

import array
import subprocess
import time

import pytest
import winipc
from support import SOON

PATIENCE = 40  # seconds; a Python starts slowly while much else runs


# ---- messages ----


@pytest.mark.parametrize("size", [0, 1, 5, 4095, 4096, 4097, 65536, 65537, 300_000, 5_000_000])
def test_a_message_arrives_whole(channels, aside, size):
    a, b = channels
    message = (bytes(range(11, 256)) * (size // 245 + 1))[:size]
    for sender, receiver in ((a, b), (b, a)):
        sent = aside(sender.send, message, SOON)
        assert receiver.receive(SOON) == message
        assert sent.result(SOON) is True


@pytest.mark.parametrize("size", [5, 4096, 70_000, 2_000_000])
def test_a_message_can_be_received_into_a_buffer(channels, aside, size):
    a, b = channels
    sent = aside(a.send, b"x" * size, SOON)
    buffer = bytearray(size + 3)
    assert b.receive_into(buffer, SOON) == size
    assert buffer == b"x" * size + b"\0\0\0"
    sent.result(SOON)


def test_too_small_a_buffer_keeps_the_message(channels):
    a, b = channels
    a.send(b"0123456789")
    with pytest.raises(winipc.MessageTooLarge):
        b.receive_into(bytearray(4), SOON)
    with pytest.raises(BufferError):
        b.receive_into(b"read only")
    assert b.receive(SOON) == b"0123456789"


@pytest.mark.parametrize(
    "data",
    [b"abc", bytearray(b"abc"), memoryview(b"xabcx")[1:4], array.array("B", b"abc")],
    ids=lambda data: type(data).__name__,
)
def test_whatever_is_bytes_like_can_be_sent(channels, data):
    a, b = channels
    assert a.send(data)
    assert a.send_parts([data, b"-", data])
    assert a.send_many([data, data]) == 2
    assert [b.receive(SOON) for _ in range(4)] == [b"abc", b"abc-abc", b"abc", b"abc"]


@pytest.mark.parametrize("data", ["text", None, 5, [1, 2]], ids=repr)
def test_what_is_not_bytes_like_is_a_type_error(channels, data):
    with pytest.raises(TypeError):
        channels[0].send(data)
    with pytest.raises(TypeError):
        channels[0].send_many([b"fine", data])


def test_arguments_are_counted_and_named(channels):
    a, b = channels
    a.send(data=b"x", timeout=1.5)
    assert b.receive(timeout=SOON) == b"x"
    for wrong in (
        lambda: a.send(),
        lambda: a.send(b"x", 1, 2),
        lambda: a.send(b"x", time=1),
        lambda: a.send(b"x", data=b"y"),
        lambda: b.receive("soon"),
        lambda: b.receive(1, timeout=1),
        lambda: b.receive_into(timeout=1),
    ):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(ValueError, match="timeout"):
        b.receive(-1)


def test_many_messages_go_and_come_at_once(channels):
    a, b = channels
    messages = [str(number).encode() for number in range(1000)]
    assert a.send_many(iter(messages)) == 1000
    received = b.receive_many(most=3)
    assert received == messages[:3]
    while len(received) < 1000:
        received += b.receive_many(timeout=SOON)
    assert received == messages
    with pytest.raises(winipc.Timeout):
        b.receive_many(timeout=0)
    with pytest.raises(ValueError, match="one message"):
        b.receive_many(0)


def test_a_large_message_comes_alone(channels):
    a, b = channels
    a.send_many([b"small", b"x" * 200_000, b"small"])
    assert b.receive_many() == [b"small"]
    assert b.receive_many() == [b"x" * 200_000]
    assert b.receive_many() == [b"small"]


def test_how_many_went_before_an_error_is_told(make_channels):
    a, b = make_channels(capacity=4096)
    with pytest.raises(winipc.Timeout) as raised:
        a.send_many([bytes(500)] * 20, timeout=0)
    sent = raised.value.sent
    assert 0 < sent < 20
    with pytest.raises(winipc.Timeout) as raised:
        a.send_many([bytes(500)] * 20, timeout=0.05)
    assert raised.value.sent == 0
    assert len(b.receive_many()) == sent


def test_pipes_take_many_messages_too(pair):
    client, server = pair
    assert client.send_many([b"one", b"", b"three"], SOON) == 3
    received = []
    while len(received) < 3:
        received += server.receive_many(timeout=SOON)
    assert received == [b"one", b"", b"three"]
    assert client.send(b"x") is True


def test_the_other_verbs_work_too(channels, aside):
    a, b = channels
    answered = aside(lambda: (b.receive(SOON), b.send(b"reply", SOON)))
    assert a.transact(b"request", SOON) == b"reply"
    answered.result(SOON)
    a.send(b"0123456789")
    assert b.receive_part(bytearray(4), SOON) == (4, True)
    assert b.receive(SOON) == b"456789"
    a.drain(SOON)
    assert (a.framing, a.info.max_message, a.peer.pid) == ("message", 64 << 20, b.peer.pid)
    with pytest.raises(winipc.Unsupported):
        a.detach()


# ---- time ----


def test_a_receive_waits_for_what_comes_later(channels, aside):
    a, b = channels
    aside(lambda: (time.sleep(0.2), a.send(b"late")))
    assert b.receive(SOON) == b"late"


def test_time_runs_out(channels):
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        channels[1].receive(0.2)
    assert 0.15 < time.monotonic() - began < 2
    with pytest.raises(winipc.Timeout):
        channels[1].receive(0)


def test_a_full_ring_lets_a_send_wait(make_channels, aside):
    a, b = make_channels(capacity=4096)
    with pytest.raises(winipc.Timeout):
        for _ in range(20):
            a.send(bytes(500), timeout=0.05)
    waiting = aside(a.send, b"last", SOON)
    received = [b.receive(SOON)]
    while received[-1] != b"last":
        received.append(b.receive(SOON))
    assert waiting.result(SOON) is True


def test_other_threads_run_while_one_waits(channels, aside):
    a, b = channels
    blocked = aside(b.receive, SOON)
    time.sleep(0.1)
    with pytest.raises(winipc.Busy):
        b.receive(0)
    a.send(b"x")
    assert blocked.result(SOON) == b"x"


def test_cancel_and_tokens_end_a_wait(channels, aside):
    _, b = channels
    aside(lambda: (time.sleep(0.1), b.cancel()))
    with pytest.raises(winipc.Cancelled):
        b.receive()
    with winipc.CancelToken() as token, pytest.raises(winipc.Cancelled):
        token.fire()
        b.receive()


def test_close_ends_the_calls_of_other_threads(channels, aside):
    _, b = channels
    blocked = [aside(b.receive), aside(lambda: b.receive())]
    time.sleep(0.1)
    b.close()
    b.close()
    errors = {type(call.exception(SOON)) for call in blocked}
    assert winipc.Closed in errors
    assert errors <= {winipc.Closed, winipc.Busy}
    assert b.closed
    for call in (b.receive, lambda: b.send(b"x"), b.peek, lambda: b.reserve(5), lambda: b.received):
        with pytest.raises(winipc.InvalidHandle):
            call()


# ---- full, and what is told ----


def test_a_channel_that_fails_when_it_is_full_raises(make_channels):
    a, b = make_channels(capacity=4096, full="fail")
    with pytest.raises(BlockingIOError):
        for _ in range(20):
            assert a.send(bytes(500)) is True
    assert b.receive(SOON) == bytes(500)


def test_a_channel_that_drops_says_so_at_both_ends(make_channels):
    a, b = make_channels(capacity=4096, full="drop_newest")
    sent = [a.send(bytes(500)) for _ in range(20)]
    lost = sent.count(False)
    assert lost
    assert sent == [True] * (20 - lost) + [False] * lost
    assert a.channel_info.dropped == lost
    for _ in range(20 - lost):
        assert len(b.receive(SOON)) == 500
        assert b.received.lost == 0
    assert a.send_parts([b"after"]) is True
    assert (b.receive(SOON), b.received.lost) == (b"after", lost)
    assert b.channel_info.lost == lost


def test_fields_come_with_each_message(make_channels):
    a, b = make_channels(fields={"sequence", "time", "tag"})
    a.set_tag(5)
    before = time.time_ns()
    a.send_many([b"one", b"two"])
    a.set_tag(2**64 - 1)
    a.send(b"three")
    told = []
    for message in (b"one", b"two", b"three"):
        assert b.receive(SOON) == message
        told.append(b.received)
    assert [one.sequence for one in told] == [0, 1, 2]
    assert [one.tag for one in told] == [5, 5, 2**64 - 1]
    assert {one.sender for one in told} == {a.peer.pid}
    for one in told:
        assert abs(one.time_ns - before) < 5e9
        assert abs(one.time.timestamp() - before / 1e9) < 5


def test_without_fields_there_is_no_time_and_no_tag(channels):
    a, b = channels
    a.send(b"x")
    b.receive(SOON)
    assert b.received[2:] == (0, 0, 0)
    assert b.received.time is None
    with pytest.raises(winipc.Unsupported):
        a.set_tag(1)


def test_a_channel_can_be_armed(channels):
    import ctypes

    a, b = channels
    handle = b.arm()
    wait = ctypes.WinDLL("kernel32").WaitForSingleObject
    assert wait(ctypes.c_void_p(handle), 0) == 258  # WAIT_TIMEOUT
    a.send(b"x")
    assert wait(ctypes.c_void_p(handle), 10_000) == 0
    assert b.receive(0) == b"x"
    a.send(b"y")
    assert b.arm() is None


# ---- options ----


def test_a_typo_is_told_with_what_may_be_meant(name):
    with pytest.raises(TypeError, match="'capacty'; did you mean 'capacity'"):
        winipc.Channel(name, capacty=4096)
    with pytest.raises(TypeError, match=r"no option here is called 'colour'$"):
        winipc.Publisher(name, colour=1)
    with pytest.raises(ValueError, match=r"full is one of .*'drop_newest'.*, not 'dropnewest'"):
        winipc.Lane(name, full="dropnewest")
    with pytest.raises(ValueError, match=r"a field is one of .*'sequence'"):
        winipc.Channel(name, fields={"sequenc"})
    with pytest.raises(ValueError, match="spin"):
        winipc.Channel(name, spin=-1)


@pytest.mark.parametrize(
    ("kind", "foreign"),
    [
        (winipc.Channel, "max_peers"),
        (winipc.Channel, "from_oldest"),
        (winipc.Publisher, "server_user"),
        (winipc.Publisher, "capacity_limit"),
        (winipc.Publisher, "timeout"),
        (winipc.Subscriber, "full"),
        (winipc.Funnel, "capacity"),
        (winipc.Lane, "security"),
    ],
)
def test_an_end_refuses_the_options_of_others(name, kind, foreign):
    with pytest.raises(TypeError, match=foreign):
        kind(name, **{foreign: 1})


@pytest.mark.parametrize(
    "options",
    [
        {"capacity": 100},
        {"max_message": 0},
        {"full": "overwrite_oldest"},
        {"capacity": 1 << 50},
        {"sddl": "nonsense"},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(name, options):
    with pytest.raises(winipc.InvalidArgument):
        winipc.Channel(name, timeout=0, **options)


@pytest.mark.parametrize("options", [{"capacity": -1}, {"max_message": 1 << 70}, {"spin": 1e9}], ids=str)
def test_numbers_out_of_range_are_value_errors(name, options):
    with pytest.raises(ValueError):
        winipc.Channel(name, timeout=0, **options)


def test_every_option_can_be_given(make_channels):
    a, b = make_channels(
        max_message=1000,
        capacity=8192,
        capacity_limit=8192,
        full="block",
        fields="sequence",
        spin=0.00005,
        scope="global",
        large_pages=False,
        prefault=True,
        numa_node=0,
        security="current_user",
        server_user="self",
    )
    a.send(b"x")
    assert b.receive(SOON) == b"x"
    assert a.channel_info.capacity == 8192
    with pytest.raises(winipc.MessageTooLarge):
        a.send(bytes(1001))


@pytest.mark.parametrize("bad", ["", "back\\slash", "x" * 300, "nul\0"])
def test_a_bad_name_is_refused(bad):
    with pytest.raises(ValueError):
        winipc.Channel(bad, timeout=0)


# ---- meeting ----


def test_nobody_comes(name):
    with pytest.raises(winipc.Timeout):
        winipc.Channel(name, timeout=0.1)
    with pytest.raises(winipc.NotFound):
        winipc.connect(f"channel:{name}", timeout=0.1)


def test_a_third_one_is_kept_out(name, channels):
    with pytest.raises(winipc.Busy):
        winipc.Channel(name, timeout=1)


def test_a_server_gives_each_client_a_channel(name):
    address = f"channel:{name}"
    with winipc.listen(address, max_message=5000) as listener:
        for number in range(3):
            with winipc.connect(address) as client, listener.accept(SOON) as server:
                assert type(client) is type(server) is winipc.Channel
                client.send(b"%d" % number)
                assert server.receive(SOON) == b"%d" % number
                assert (server.info.server, server.info.max_message) == (True, 5000)


def test_a_server_takes_the_options_of_a_channel(name):
    with winipc.Channel.listen(name, capacity=8192, fields="tag") as listener:
        assert isinstance(listener, winipc.Listener)
        with winipc.connect(f"channel:{name}") as client, listener.accept(SOON) as server:
            server.set_tag(7)
            server.send(b"x")
            client.receive(SOON)
            assert client.received.tag == 7
            assert server.channel_info.capacity == 8192


def test_a_client_of_a_listener_has_all_options_too(name):
    told = {"capacity": 8192, "fields": "tag"}
    with (
        winipc.Channel.listen(name) as listener,
        winipc.Channel.connect(name, **told) as client,
        listener.accept(SOON) as server,
    ):
        client.set_tag(9)
        client.send(b"x")
        assert server.receive(SOON) == b"x"
        assert server.received.tag == 9
        assert client.channel_info.capacity == 8192
    with pytest.raises(winipc.NotFound, match=name):
        winipc.Channel.connect(name, timeout=0)
    with pytest.raises(TypeError, match="sddl"):
        winipc.Channel.connect(name, sddl="D:")


def test_the_address_of_a_pipe_names_no_channel(name):
    with pytest.raises(ValueError, match="not the name of a channel"):
        winipc.Channel(f"pipe:{name}")


def test_the_options_of_a_pipe_are_not_for_a_channel(name):
    with pytest.raises(winipc.InvalidArgument):
        winipc.listen(f"channel:{name}", type="byte")
    with pytest.raises(winipc.FramingError):
        winipc.connect(f"channel:{name}", framing="u32", timeout=0)


def test_a_channel_without_a_name_goes_by_a_handle(aside):
    listener, handle = winipc.channel_create(capacity=8192)
    with listener:
        other = aside(lambda: winipc.Channel.from_handle(handle, fields="sequence"))
        with listener.accept(SOON) as a, other.result(SOON) as b:
            b.send(b"x")
            assert a.receive(SOON) == b"x"


def test_closing_a_channel_that_nobody_closed_warns(channels):
    a, b = channels
    b.send(b"x")
    with pytest.warns(ResourceWarning, match="Channel"):
        winipc.Channel.__del__(a)
    assert a.closed


# ---- the end ----


def test_iterating_receives_until_the_peer_ends(channels):
    a, b = channels
    a.send_many([b"one", b"", b"three"])
    a.close()
    assert list(b) == [b"one", b"", b"three"]
    with pytest.raises(ConnectionError):
        b.receive(SOON)
    with pytest.raises(ConnectionError):
        b.send(b"x")


def test_iterating_over_a_closed_channel_is_an_error(channels):
    channels[0].close()
    with pytest.raises(winipc.InvalidHandle):
        next(channels[0])


ECHO = """
import sys, winipc
with winipc.Channel(sys.argv[1], timeout=40) as channel:
    for message in channel:
        channel.send(message[::-1])
"""


@pytest.mark.parametrize("first", ["we", "the other"])
def test_either_side_may_come_first(start, name, first):
    other = None if first == "we" else start(ECHO, name)
    if other:
        time.sleep(1)
    else:
        other = start("import time; time.sleep(0.5)\n" + ECHO, name)
    with winipc.Channel(name, timeout=PATIENCE) as channel:
        for message in (b"abc", b"", b"x" * 100_000):
            channel.send(message, SOON)
            assert channel.receive(SOON) == message[::-1]
        assert channel.received.sender == channel.peer.pid
    assert other.wait(PATIENCE) == 0


def test_thousands_of_round_trips_between_processes(start, name):
    start(ECHO, name)
    with winipc.Channel(name, timeout=PATIENCE) as channel:
        for number in range(3000):
            message = number.to_bytes(8, "little")
            channel.send(message, SOON)
            assert channel.receive(SOON) == message[::-1]


def test_a_killed_peer_is_noticed(start, name):
    program = "import sys, time, winipc; c = winipc.Channel(sys.argv[1], timeout=40)"
    other = start(program + "; c.send_many([b'first', b'last words']); time.sleep(60)", name)
    with winipc.Channel(name, timeout=PATIENCE) as channel:
        assert channel.receive(PATIENCE) == b"first"
        other.kill()
        other.wait()
        assert channel.receive(SOON) == b"last words"
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            channel.receive()
        assert time.monotonic() - began < SOON
        with pytest.raises(winipc.Disconnected):
            channel.send(b"x")


def test_a_peer_that_is_killed_ends_a_send_that_waits(start, name):
    other = start(
        "import sys, time, winipc; c = winipc.Channel(sys.argv[1], timeout=40); time.sleep(60)",
        name,
        stdout=subprocess.DEVNULL,
    )
    with winipc.Channel(name, timeout=PATIENCE, capacity=4096) as channel:
        killing = []

        def fill() -> None:
            for _ in range(100):
                channel.send(bytes(500), 0 if not killing else SOON)

        with pytest.raises(winipc.Timeout):
            fill()
        killing.append(other.kill())
        with pytest.raises(ConnectionError):
            fill()
