"""How objects end."""

from __future__ import annotations

import gc
import warnings

import pytest
import winipc
from support import SOON
from winipc import native


def test_an_object_that_nobody_closed_warns_and_is_closed(address):
    listener = winipc.listen(address)
    with pytest.warns(ResourceWarning, match="unclosed <winipc.Listener"):
        del listener
        gc.collect()
    winipc.listen(address).close()  # the name is free again


def test_an_object_that_was_closed_does_not_warn(address):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        listener = winipc.listen(address)
        listener.close()
        listener.close()
        del listener
        token = winipc.CancelToken()
        del token
        gc.collect()


def test_an_object_whose_making_failed_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError):
            winipc.connect("nonsense:")
        gc.collect()


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.send(b""),
        lambda c: c.send_parts([]),
        lambda c: c.receive(),
        lambda c: c.receive_into(bytearray(1)),
        lambda c: c.receive_part(bytearray(1)),
        lambda c: c.transact(b""),
        lambda c: c.peek(),
        lambda c: c.drain(),
        lambda c: c.abort(),
        lambda c: c.detach(),
        lambda c: c.cancel(),
        lambda c: c.handle,
        lambda c: c.info,
        lambda c: c.framing,
        lambda c: c.peer,
        lambda c: c.pipe_info,
        lambda c: c.sddl,
        lambda c: next(c),
    ],
)
def test_a_closed_connection_is_an_invalid_handle(pair, call):
    client, _ = pair
    client.close()
    assert client.closed
    assert "closed" in repr(client)
    with pytest.raises(winipc.InvalidHandle):
        call(client)


def test_a_closed_listener_is_an_invalid_handle(address):
    listener = winipc.listen(address)
    listener.close()
    with pytest.raises(ValueError):
        listener.accept(0)


def test_a_handle_of_another_kind_is_refused(pair, address):
    token = native.cancel_create()
    with pytest.raises(winipc.InvalidHandle):
        native.receive(token, 0)
    native.cancel_close(token)
    with pytest.raises(winipc.InvalidHandle):
        native.cancel_close(token)


@pytest.mark.parametrize("bad", ["5", 5.0, b"", object()])
def test_a_raw_handle_is_an_int(bad):
    for call in (native.receive, native.accept):
        with pytest.raises(TypeError):
            call(bad, 0)


@pytest.mark.parametrize("bad", [0, 1, -1, 12345678901234567, 1 << 63])
def test_an_invented_handle_is_refused(bad):
    with pytest.raises(winipc.InvalidHandle):
        native.receive(bad, 0)


def test_the_raw_functions_count_their_arguments():
    for call in (native.send, native.receive, native.receive_into, native.transact):
        with pytest.raises(TypeError, match="arguments"):
            call(1)


def test_the_handle_of_the_system_is_lent(pair):
    import _winapi

    assert _winapi.GetFileType(pair[0].handle) == 3  # FILE_TYPE_PIPE


def test_a_with_statement_closes(address):
    with winipc.listen(address) as listener:
        assert not listener.closed
    assert listener.closed


def count_handles() -> int:
    """The handles that this process has open. Wine 8 tells 0 for that, so there they are tried one by one.

    The table of all handles is not read: Wine's server can crash over that (see tests/c/harness.h).
    """
    import ctypes

    kernel, number = ctypes.WinDLL("kernel32"), ctypes.c_uint32()
    kernel.GetProcessHandleCount(ctypes.c_void_p(-1), ctypes.byref(number))
    if number.value:
        return number.value
    tried = (ctypes.c_void_p(value) for value in range(4, 4 * 4096, 4))
    return sum(kernel.GetHandleInformation(handle, ctypes.byref(number)) != 0 for handle in tried)


def test_three_hundred_connections_leave_nothing_behind(address):
    def once() -> None:
        with winipc.connect(address) as client, listener.accept(SOON) as server:
            client.send(b"x")
            assert server.receive(SOON) == b"x"

    with winipc.listen(address) as listener:
        for _ in range(50):
            once()
        before = count_handles()
        for _ in range(300):
            once()
        assert count_handles() <= before + 5
