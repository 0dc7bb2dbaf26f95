"""Messages that are built and read where they lie, and what may still look at them afterwards."""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import struct
import sys
import time

import pytest
import winipc
from support import SOON


def test_a_message_is_built_and_read_in_place(channels):
    a, b = channels
    with a.reserve(8, timeout=SOON) as view:
        assert (len(view), view.readonly, view.format) == (8, False, "B")
        struct.pack_into("<II", view, 0, 5, 7)
    with b.peek(timeout=SOON) as view:
        assert (len(view), view.readonly) == (8, True)
        assert struct.unpack("<II", view) == (5, 7)
        assert b.received.lost == 0
    with pytest.raises(winipc.Timeout):
        b.receive(0)


@pytest.mark.parametrize("way", ["size", "commit"])
def test_less_can_be_sent_than_was_reserved(channels, way):
    a, b = channels
    reservation = a.reserve(100)
    assert (len(reservation), reservation.size) == (100, 100)
    with reservation as view:
        view[:5] = b"Shine"
        if way == "size":
            reservation.size = 5
        else:
            reservation.commit(5)
    assert b.receive(SOON) == b"Shine"
    with a.reserve(10) as view:
        pass
    assert len(b.receive(SOON)) == 10


def test_a_reservation_needs_no_with(channels):
    a, b = channels
    reservation = a.reserve(3)
    memoryview(reservation)[:] = b"one"
    reservation.commit()
    a.reserve(3).abandon()
    a.reserve(0).commit()
    assert [b.receive(SOON), b.receive(SOON)] == [b"one", b""]
    loan = b.peek
    a.send(b"two")
    loan = b.peek(SOON)
    assert bytes(loan) == b"two"
    loan.release()
    with pytest.raises(winipc.Timeout):
        b.peek(0)


def test_an_exception_abandons(channels):
    a, b = channels
    with pytest.raises(ZeroDivisionError), a.reserve(10) as view:
        view[0] = 1 // 0
    a.send(b"next")
    assert b.receive(SOON) == b"next"


def test_an_exception_releases(channels):
    a, b = channels
    a.send_many([b"one", b"two"])
    with pytest.raises(ZeroDivisionError), b.peek(SOON) as view:
        view[0] // 0
    assert b.receive(SOON) == b"two"


def test_a_view_is_refused_after_its_end(channels):
    a, b = channels
    with (reservation := a.reserve(10)) as room:
        pass
    with (loan := b.peek(SOON)) as message:
        pass
    for use in (
        lambda: room[0],
        lambda: message[0],
        lambda: bytes(message),
        lambda: memoryview(loan),
        lambda: memoryview(reservation),
        reservation.commit,
        reservation.abandon,
        loan.release,
        loan.__enter__,
    ):
        with pytest.raises(ValueError):
            use()


def test_sizes_are_checked(channels):
    a, _ = channels
    with pytest.raises(winipc.MessageTooLarge):
        a.reserve(1 << 20)
    with pytest.raises(ValueError):
        a.reserve(-1)
    with pytest.raises(TypeError):
        a.reserve("5")
    with pytest.raises(OverflowError):
        a.reserve(1 << 70)
    with a.reserve(10):
        with pytest.raises(winipc.Busy):
            a.reserve(10)
        with pytest.raises(winipc.Busy):
            a.send(b"x")
    reservation = a.reserve(10)
    for size in (11, -1):
        with pytest.raises(ValueError, match="within 0 and the 10 reserved"):
            reservation.size = size
        with pytest.raises(ValueError):
            reservation.commit(size)
    reservation.abandon()


def test_what_is_peeked_at_is_lent_once(channels):
    a, b = channels
    a.send_many([b"one", b"two"])
    with b.peek() as view:
        with pytest.raises(winipc.Busy):
            b.peek()
        with pytest.raises(winipc.Busy):
            b.receive()
        assert bytes(view) == b"one"
    assert b.receive() == b"two"


def test_a_long_message_is_put_together_first(channels, aside):
    a, b = channels
    sent = aside(a.send, b"x" * 3_000_000, SOON)
    with b.peek(SOON) as view:
        assert view == b"x" * 3_000_000
    sent.result(SOON)


def test_peek_and_reserve_wait(make_channels, aside):
    a, b = make_channels(capacity=4096)
    aside(lambda: (time.sleep(0.2), a.send(b"late")))
    with b.peek() as view:
        assert view == b"late"
    with pytest.raises(winipc.Timeout):
        b.peek(0.05)
    with pytest.raises(winipc.Timeout):
        for _ in range(20):
            a.reserve(500, timeout=0.05).commit()
    aside(lambda: (time.sleep(0.2), b.receive_many()))
    a.reserve(500, timeout=SOON).commit()


def test_peeks_of_two_threads_do_not_meet(channels, aside):
    a, b = channels
    waiting = aside(lambda: b.peek(SOON))
    time.sleep(0.1)
    with pytest.raises(winipc.Busy):
        b.peek(SOON)
    a.send(b"x")
    waiting.result(SOON).release()


# ---- what still looks ----


def looks(view: memoryview) -> dict[str, object]:
    """Ways to hold on to memory."""
    return {
        "slice": view[1:],
        "cast": view[:8].cast("I"),
        "memoryview": memoryview(view),
        "iterator": iter(view[:4]),
    }


@pytest.mark.parametrize("way", ["slice", "cast", "memoryview", "iterator"])
def test_what_still_looks_keeps_the_message(channels, way):
    a, b = channels
    a.send_many([b"0123456789", b"next"])
    with pytest.raises(BufferError, match="in use"), b.peek() as view:
        held = looks(view)[way]
    gc.collect()
    with pytest.raises(ValueError):
        view[0]
    with pytest.raises(winipc.Busy):
        b.receive()
    with pytest.raises(BufferError, match="in use"):
        b.close()
    assert next(iter(held)) in (ord("0"), ord("1"), int.from_bytes(b"0123", "little"))
    del held
    assert b.receive(SOON) == b"next"
    b.close()


def test_what_still_looks_keeps_a_reservation_from_being_sent(channels):
    a, b = channels
    with pytest.raises(BufferError, match="not sent"), a.reserve(16) as view:
        foreign = (ctypes.c_uint32 * 4).from_buffer(view)
    foreign[0] = 5
    with pytest.raises(winipc.Busy):
        a.send(b"x")
    with pytest.raises(BufferError):
        a.close()
    del foreign, view
    gc.collect()
    a.send(b"after")
    assert b.receive(SOON) == b"after"


def test_commit_within_the_block_is_refused_while_a_slice_looks(channels):
    a, b = channels
    reservation = a.reserve(8)
    with reservation as view:
        part = view[2:]
        with pytest.raises(BufferError):
            reservation.commit()
        with pytest.raises(ValueError):
            reservation.commit()
        part[0] = 1
        del part
    a.send(b"after")
    assert b.receive(SOON) == b"after"


def test_an_exception_whose_trace_holds_a_slice_still_abandons(channels):
    a, b = channels

    def fail(part: memoryview) -> None:
        raise ZeroDivisionError(len(part))

    caught = None
    try:
        with a.reserve(8) as view:
            fail(view[2:])
    except ZeroDivisionError as error:
        caught = error
    assert caught is not None
    with pytest.raises(winipc.Busy):
        a.send(b"x")
    caught = None
    gc.collect()
    a.send(b"after")
    assert b.receive(SOON) == b"after"


def test_memory_outlives_a_channel_that_was_forgotten(name, aside):
    other = aside(lambda: winipc.Channel(name, timeout=SOON))
    a = winipc.Channel(name, timeout=SOON)
    b = other.result(SOON)
    a.send(b"still here")
    view = memoryview(b.peek(SOON))[2:]
    with pytest.warns(ResourceWarning, match="Channel"):
        del b, other
        gc.collect()
        assert bytes(view) == b"ill here"
        del view
        gc.collect()
    with pytest.raises(ConnectionError):
        a.receive(SOON)
    a.close()


def test_closing_ends_a_loan_that_nobody_looks_at(channels):
    a, b = channels
    a.send(b"x")
    reservation, loan = a.reserve(5), b.peek(SOON)
    a.close()
    b.close()
    for use in (reservation.commit, loan.release, lambda: memoryview(loan)):
        with pytest.raises(ValueError):
            use()


def test_a_with_statement_of_a_channel_does_not_hide_a_view(channels):
    a, b = channels
    a.send(b"0123")
    with pytest.raises(BufferError), b:
        held = memoryview(b.peek(SOON))
    assert not b.closed
    assert held == b"0123"
    held.release()
    b.close()


def test_a_close_while_a_peek_waits(channels, aside):
    _, b = channels
    waiting = aside(b.peek)
    time.sleep(0.1)
    b.close()
    assert isinstance(waiting.exception(SOON), winipc.Closed)


def test_loans_after_the_peer_has_gone(channels):
    a, b = channels
    a.send(b"last")
    reservation = b.reserve(4)
    a.close()
    with b.peek(SOON) as view:
        assert view == b"last"
    with pytest.raises(ConnectionError):
        b.peek(SOON)
    with pytest.raises(ConnectionError):
        reservation.commit()
    with pytest.raises(ConnectionError):
        b.reserve(4)


def test_loans_are_made_by_channels_only():
    for kind in (winipc.Loan, winipc.Reservation):
        with pytest.raises(TypeError):
            kind()


def test_loans_leave_no_references(channels):
    a, b = channels
    before = sys.getrefcount(a), sys.getrefcount(b)
    for _ in range(100):
        with a.reserve(4) as view:
            view[:] = b"1234"
        with b.peek() as view:
            array.array("B", view)
    del view
    assert (sys.getrefcount(a), sys.getrefcount(b)) == before


def test_reading_what_was_overwritten_is_an_overrun(name):
    with winipc.Publisher(name, capacity=4096) as publisher, winipc.Subscriber(name) as subscriber:
        publisher.send(b"old")
        with pytest.raises(winipc.Overrun, match="overwritten"), subscriber.peek(SOON) as view:
            publisher.send_many([bytes(500)] * 20)
            assert len(view) == 3
        assert subscriber.receive(SOON) == bytes(500)
        assert subscriber.received.lost > 0


def test_an_overrun_is_told_even_when_it_made_the_reader_fail(name):
    with winipc.Publisher(name, capacity=4096) as publisher, winipc.Subscriber(name) as subscriber:
        publisher.send(b"old")
        with pytest.raises(winipc.Overrun) as raised, subscriber.peek(SOON) as view:
            publisher.send_many([bytes(500)] * 20)
            struct.unpack("<II", view)
        assert isinstance(raised.value.__context__, struct.error)
        publisher.send(b"old")
        with pytest.raises(KeyboardInterrupt), subscriber.peek(SOON):
            publisher.send_many([bytes(500)] * 20)
            raise KeyboardInterrupt


# ---- misuse ----


@pytest.mark.parametrize("number", [0, 1, 12345678901234567])
def test_a_channel_around_no_connection_is_refused(number):
    channel = winipc.Channel.__new__(winipc.Channel)
    channel._id = number
    for use in (
        lambda: channel.send(b"x"),
        lambda: channel.receive(0),
        lambda: next(channel),
        lambda: channel.receive_into(bytearray(5)),
        lambda: channel.send_many([b"x"]),
        lambda: channel.receive_many(),
        lambda: channel.peek(0),
        lambda: channel.reserve(5),
        lambda: channel.received,
    ):
        with pytest.raises(winipc.InvalidHandle):
            use()
    channel._id = 0


def test_a_pipe_is_no_channel(pair):
    channel = winipc.Channel.__new__(winipc.Channel)
    channel._id = pair[0]._id
    with pytest.raises(winipc.Unsupported):
        channel.reserve(5)
    with pytest.raises(winipc.Unsupported):
        channel.peek(0)
    pair[1].send(b"x")
    assert channel.receive(SOON) == b"x"
    channel._id = 0


def test_threads_that_close_while_others_look_crash_nothing(make_channels, aside):
    def look(end: winipc.Channel) -> None:
        with contextlib.suppress(winipc.Error, ValueError, BufferError):
            while True:
                with end.peek(SOON) as view:
                    bytes(view)
                end.receive(SOON)

    def send(end: winipc.Channel) -> None:
        with contextlib.suppress(winipc.Error, ValueError, BufferError):
            while True:
                with end.reserve(1000, SOON) as view:
                    view[:4] = b"1234"
                end.send_many([b"abc", bytes(1000)], SOON)

    for number in range(20):
        a, b = make_channels(capacity=8192)
        calls = [aside(call, end) for end in (a, b) for call in (look, send)]
        time.sleep(0.01 * (number % 4))
        while not (a.closed and b.closed):
            for end in (a, b):
                with contextlib.suppress(BufferError):
                    end.close()
        for call in calls:
            call.result(SOON)
