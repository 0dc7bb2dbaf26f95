"""Connections over named pipes, as a Python program sees them."""

from __future__ import annotations

import array
import mmap
import threading
import time

import pytest
import winipc
from support import SOON

FRAMED = ["message", "u32", "line"]


def framed(make_pair, framing, **options):
    kind = "message" if framing == "message" else "byte"
    return make_pair(framing=framing, server_type=kind, **options)


@pytest.mark.parametrize("framing", FRAMED)
@pytest.mark.parametrize("message", [b"", b"x", b"hello", b"\0\xff" * 1000], ids=len)
def test_a_message_arrives_whole_in_every_framing(make_pair, framing, message):
    client, server = framed(make_pair, framing)
    client.send(message, SOON)
    assert server.receive(SOON) == message
    server.send(message, SOON)
    assert client.receive(SOON) == message


@pytest.mark.parametrize("framing", FRAMED)
@pytest.mark.parametrize("size", [65535, 65536, 65537, 300_000, 5_000_000])
def test_a_large_message_arrives_whole(make_pair, aside, framing, size):
    client, server = framed(make_pair, framing)
    message = bytes(range(11, 256)) * (size // 245 + 1)
    sent = aside(client.send, message[:size], SOON)
    assert server.receive(SOON) == message[:size]
    sent.result(SOON)


def test_a_stream_has_no_messages(make_pair):
    client, server = framed(make_pair, "none")
    client.send(b"one", SOON)
    client.send(b"two", SOON)
    received = b""
    while len(received) < 6:
        received += server.receive(SOON)
    assert received == b"onetwo"


@pytest.mark.parametrize(("kind", "framing"), [("message", "message"), ("byte", "none")])
def test_framing_is_found_out_from_the_pipe(make_pair, kind, framing):
    client, server = make_pair(server_type=kind)
    assert client.framing == server.framing == framing


@pytest.mark.parametrize(
    "data",
    [b"abc", bytearray(b"abc"), memoryview(b"xabcx")[1:4], array.array("B", b"abc")],
    ids=lambda data: type(data).__name__,
)
def test_whatever_is_bytes_like_can_be_sent(pair, data):
    client, server = pair
    client.send(data)
    assert server.receive(SOON) == b"abc"
    client.send_parts([data, b"-", data])
    assert server.receive(SOON) == b"abc-abc"


def test_items_wider_than_a_byte_go_as_their_bytes(pair):
    client, server = pair
    numbers = array.array("i", [1, 2, 3])
    client.send(numbers)
    assert server.receive(SOON) == numbers.tobytes()


@pytest.mark.parametrize("data", ["text", None, 5, [1, 2]], ids=repr)
def test_what_is_not_bytes_like_is_a_type_error(pair, data):
    client, _ = pair
    with pytest.raises(TypeError):
        client.send(data)
    with pytest.raises(TypeError):
        client.send_parts([b"fine", data])


def test_bytes_with_gaps_are_refused(pair):
    with pytest.raises(BufferError):
        pair[0].send(memoryview(b"abcdef")[::2])


def test_parts_may_be_none_or_many_but_not_too_many(pair):
    client, server = pair
    client.send_parts([])
    assert server.receive(SOON) == b""
    client.send_parts(bytes([i % 256]) for i in range(1024))
    assert len(server.receive(SOON)) == 1024
    with pytest.raises(winipc.InvalidArgument):
        client.send_parts([b"x"] * 1025)


@pytest.mark.parametrize("buffer", [bytearray(8), array.array("B", bytes(8)), mmap.mmap(-1, 8)])
def test_a_message_can_be_received_into_what_is_writable(pair, buffer):
    client, server = pair
    client.send(b"hello")
    assert server.receive_into(buffer, SOON) == 5
    assert bytes(memoryview(buffer)[:5]) == b"hello"


def test_receiving_into_what_is_read_only_is_a_buffer_error(pair):
    with pytest.raises(BufferError):
        pair[0].receive_into(b"12345", 0)


def test_too_small_a_buffer_keeps_the_message(pair):
    client, server = pair
    client.send(b"0123456789")
    with pytest.raises(winipc.MessageTooLarge):
        server.receive_into(bytearray(4), SOON)
    assert server.receive(SOON) == b"0123456789"


def test_a_message_can_be_received_in_parts(pair):
    client, server = pair
    client.send(b"0123456789")
    buffer = bytearray(4)
    assert server.receive_part(buffer, SOON) == (4, True)
    assert server.receive_part(buffer, SOON) == (4, True)
    assert bytes(buffer) == b"4567"
    assert server.receive_part(buffer, SOON) == (2, False)


def test_a_request_gets_its_reply(pair, aside):
    client, server = pair
    for reply in (b"reply", b"y" * 200_000):
        answered = aside(lambda reply=reply: (server.receive(SOON), server.send(reply, SOON))[0])
        assert client.transact(b"request", SOON) == reply
        assert answered.result(SOON) == b"request"


def test_a_transaction_is_busy_while_a_message_waits_in_part(pair):
    client, server = pair
    server.send(b"unread")
    client.receive_part(bytearray(2), SOON)
    with pytest.raises(winipc.Busy):
        client.transact(b"request", SOON)


def test_peek_looks_without_taking(pair):
    client, server = pair
    assert server.peek() == (False, 0, 0, b"")
    client.send(b"hello")
    assert server.peek(2) == (True, 5, 5, b"he")
    assert server.peek(100).data == b"hello"
    assert server.receive(0) == b"hello"


def test_a_message_larger_than_max_message_is_refused_at_both_ends(make_pair):
    client, server = make_pair(server_max_message=100_000)
    with pytest.raises(winipc.MessageTooLarge):
        server.send(bytes(100_001))
    threading.Thread(target=client.send, args=(bytes(100_001), SOON)).start()
    with pytest.raises(winipc.MessageTooLarge, match="larger"):
        server.receive(SOON)
    assert server.receive_into(bytearray(100_001), SOON) == 100_001


def test_a_line_holds_no_line_end(make_pair):
    client, _ = framed(make_pair, "line")
    with pytest.raises(winipc.InvalidArgument):
        client.send(b"two\nlines")


def test_iterating_receives_until_the_peer_ends(pair):
    client, server = pair
    for message in (b"one", b"", b"three"):
        client.send(message)
    client.close()
    assert list(server) == [b"one", b"", b"three"]
    with pytest.raises(winipc.Disconnected):
        server.receive(SOON)


def test_a_peer_that_ends_within_a_frame_is_truncated(make_pair):
    client, server = make_pair(server_type="byte", server_framing="u32")
    client.send(b"\x10\0\0\0only a")
    client.close()
    with pytest.raises(winipc.Truncated):
        server.receive(SOON)


def test_abort_ends_the_other_side_at_once(pair):
    pair[1].abort()
    for end in pair:
        with pytest.raises(winipc.Disconnected):
            end.receive(SOON)


def test_drain_waits_until_the_peer_has_read(pair, aside):
    client, server = pair
    client.send(b"hello")
    with pytest.raises(winipc.Timeout):
        client.drain(0.05)
    drained = aside(client.drain, SOON)
    assert server.receive(SOON) == b"hello"
    drained.result(SOON)


def test_a_listener_gives_out_clients_until_it_is_closed(address, aside):
    listener = winipc.listen(address)
    served = aside(lambda: [client.receive(SOON) for client in listener])
    for message in (b"one", b"two"):
        with winipc.connect(address) as client:
            client.send(message)
            client.drain(SOON)
    time.sleep(0.1)
    listener.close()
    assert served.result(SOON) == [b"one", b"two"]
    assert list(listener) == []


def test_every_option_of_a_pipe_is_a_keyword(address):
    with (
        winipc.listen(
            address,
            framing="none",
            max_message=1000,
            direction="outbound",
            type="byte",
            read_mode="byte",
            nowait=False,
            accept_remote=False,
            max_instances=2,
            out_buffer=1024,
            in_buffer=2048,
            default_timeout_ms=100,
            first_instance=True,
            inheritable=True,
            write_through=True,
            extra_access=0x40000,
            security="current_user",
            sddl="D:P(A;;GA;;;WD)",
        ) as listener,
        winipc.connect(
            address,
            timeout=1,
            framing="none",
            max_message=2000,
            direction="outbound",
            read_mode="byte",
            nowait=False,
            impersonation="impersonation",
            inheritable=True,
            must_exist=True,
            write_through=True,
            server_user="self",
        ) as client,
        listener.accept(SOON) as server,
    ):
        server.send(b"news")
        assert client.receive(SOON) == b"news"
        assert client.info.max_message == 2000
        assert server.info == ("none", 1000, True, True)
        assert client.pipe_info.type == "byte"
        assert "(A;;" in server.sddl


def test_what_is_not_a_choice_names_the_choices(address):
    with pytest.raises(ValueError, match=r"framing is one of 'auto', 'message', .*, not 'lines'"):
        winipc.connect(address, framing="lines")


@pytest.mark.parametrize("options", [{"max_instances": 256}, {"out_buffer": -1}, {"in_buffer": 1 << 40}])
def test_a_number_out_of_range_is_a_value_error(address, options):
    with pytest.raises(ValueError):
        winipc.listen(address, **options)


def test_an_unknown_option_is_a_type_error(address):
    with pytest.raises(TypeError):
        winipc.listen(address, colour="red")
    with pytest.raises(TypeError, match="no option is called 'colour'"):
        winipc.native.pipe_listen(address, {"colour": 1})
    with pytest.raises(TypeError):
        winipc.native.pipe_listen(address, {5: 1})


@pytest.mark.parametrize("bad", ["pipe:a\0b", "pipe:\ud800", "", "nonsense:x", "pipe:"])
def test_an_address_that_is_none_is_a_value_error(bad):
    with pytest.raises(ValueError):
        winipc.connect(bad, timeout=0)
    with pytest.raises(ValueError):
        winipc.listen(bad)


@pytest.mark.parametrize("bad", [None, 5, b"pipe:x"])
def test_an_address_is_text(bad):
    with pytest.raises((TypeError, ValueError)):
        winipc.connect(bad, timeout=0)


def test_a_name_may_hold_any_letter(name):
    address = f"pipe:{name}-äöü-日本-😀"
    with (
        winipc.listen(address) as listener,
        winipc.connect(address) as client,
        listener.accept(SOON) as server,
    ):
        client.send("grüße".encode())
        assert server.receive(SOON).decode() == "grüße"


@pytest.mark.parametrize("bad", [-1, -0.001, float("nan"), float("-inf")])
def test_a_timeout_is_not_negative(pair, bad):
    with pytest.raises(ValueError):
        pair[0].receive(bad)


@pytest.mark.parametrize("bad", ["1", b"1", [1]])
def test_a_timeout_is_a_number(pair, bad):
    with pytest.raises(TypeError):
        pair[0].receive(bad)


@pytest.mark.parametrize("timeout", [None, 0, 0.5, 5, 1e-9, 1e9, 1e300, float("inf")])
def test_what_is_there_is_received_with_any_timeout(pair, timeout):
    client, server = pair
    client.send(b"x", timeout)
    assert server.receive(timeout) == b"x"


def test_a_timeout_takes_its_time_and_not_much_more(pair):
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        pair[0].receive(0.2)
    assert 0.15 < time.monotonic() - began < 5


@pytest.mark.parametrize("method", ["receive", "accept", "connect"])
def test_other_threads_run_while_one_waits(address, aside, method):
    with winipc.listen(address, max_instances=1) as listener, winipc.connect(address) as client:
        waiting = {
            "receive": lambda: client.receive(0.5),
            "accept": lambda: (listener.accept(SOON), listener.accept(0.5)),
            "connect": lambda: winipc.connect(address + "-not-there", timeout=0.5),
        }[method]
        waited, counted = aside(waiting), 0
        while not waited.done():
            counted += 1
            time.sleep(0.001)
        assert counted > 20
        with pytest.raises((TimeoutError, FileNotFoundError)):
            waited.result()


def test_closing_wakes_who_is_blocked(pair, aside):
    blocked = aside(pair[0].receive)
    time.sleep(0.1)
    pair[0].close()
    with pytest.raises(winipc.Closed):
        blocked.result(SOON)


def test_cancel_ends_what_waits_and_nothing_later(pair, aside):
    blocked = aside(pair[0].receive)
    time.sleep(0.1)
    pair[0].cancel()
    with pytest.raises(winipc.Cancelled):
        blocked.result(SOON)
    pair[1].send(b"later")
    assert pair[0].receive(SOON) == b"later"


def test_a_second_receiver_is_busy(pair, aside):
    blocked = aside(pair[0].receive)
    time.sleep(0.1)
    with pytest.raises(winipc.Busy):
        pair[0].receive(0)
    pair[1].send(b"done")
    assert blocked.result(SOON) == b"done"


def test_the_peer_is_known(start, address):
    program = """
        import sys, winipc
        with winipc.connect(sys.argv[1]) as connection:
            connection.receive(30)
    """
    with winipc.listen(address) as listener:
        client = start(program, address)
        with listener.accept(30) as server:
            assert server.peer.pid == client.pid
            assert server.peer.user.startswith("S-1-5-")
            server.send(b"end")
            assert client.wait(30) == 0


def test_a_handle_goes_from_one_connection_into_another(pair):
    client, server = pair
    with winipc.from_handle(client.detach(), framing="message") as adopted:
        assert client.closed
        server.send(b"hello")
        assert adopted.receive(SOON) == b"hello"


def test_a_connection_is_not_detached_with_bytes_in_it(pair):
    client, server = pair
    server.send(b"0123456789")
    with pytest.raises(winipc.MessageTooLarge):
        client.receive_into(bytearray(3), SOON)
    with pytest.raises(winipc.Busy):
        client.detach()
    assert client.receive(SOON) == b"0123456789"


def test_from_handle_refuses_what_is_no_pipe():
    with pytest.raises(OSError):
        winipc.from_handle(0x7FFF0)
    with pytest.raises(TypeError):
        winipc.from_handle("5")


def test_an_anonymous_pipe_has_an_end_for_a_child(start):
    import msvcrt
    import os

    connection, handle = winipc.pipe_pair(direction="inbound", framing="line")
    with connection:
        descriptor = msvcrt.open_osfhandle(handle, 0)
        child = start("print('one'); print('two')", stdout=descriptor)
        os.close(descriptor)
        assert [line.rstrip(b"\r") for line in connection] == [b"one", b"two"]
        assert child.wait(30) == 0


def test_standard_streams_are_a_connection(start):
    import subprocess

    program = """
        import winipc
        with winipc.connect("stdio:", framing="line") as connection:
            for line in connection:
                connection.send(line.upper())
    """
    child = start(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.communicate(b"one\ntwo\n", 30)[0] == b"ONE\nTWO\n"


@pytest.mark.needs_windows("it cannot list pipes")
def test_the_pipes_of_this_machine_are_listed(name, address):
    assert not winipc.pipe_exists(address)
    with winipc.listen(address):
        assert name in winipc.pipes()
        assert winipc.pipe_exists(address)


def test_a_system_that_cannot_list_pipes_says_so():
    if winipc.has("pipe.list"):
        assert winipc.pipes()
    else:
        with pytest.raises(winipc.Unsupported):
            winipc.pipes()


def test_must_exist_does_not_wait(address):
    began = time.monotonic()
    with pytest.raises(FileNotFoundError):
        winipc.connect(address, timeout=20, must_exist=True)
    assert time.monotonic() - began < 5


@pytest.mark.needs_windows("it lets a second server take a name")
def test_a_name_that_is_taken_is_refused(address):
    with winipc.listen(address), pytest.raises(FileExistsError):
        winipc.listen(address)


def test_many_threads_talk_at_once(address, aside):
    def client(number):
        with winipc.connect(address) as connection:
            for i in range(50):
                message = f"{number}-{i}".encode()
                connection.send(message, SOON)
                assert connection.receive(SOON) == message

    def serve(connection):
        with connection:
            for message in connection:
                connection.send(message, SOON)

    with winipc.listen(address) as listener:
        clients = [aside(client, i) for i in range(8)]
        servers = [aside(serve, listener.accept(SOON)) for _ in clients]
        for future in clients + servers:
            future.result(30)
