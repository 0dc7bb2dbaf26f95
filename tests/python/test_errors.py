"""The exceptions: which class, and what they know."""

from __future__ import annotations

import builtins
import pickle
import re
from pathlib import Path

import pytest
import winipc
from support import SOON
from winipc import errors, native


def test_every_status_of_the_header_is_a_member():
    every = {name: getattr(native, name) for name in dir(native) if name in errors.Status.__members__}
    assert every == {status.name: int(status) for status in errors.Status}
    assert min(errors.Status) == native.E_LAST + 1


def test_every_error_but_system_has_a_class():
    assert {s for s in errors.Status if s < 0} - set(errors.CLASSES) == {errors.Status.E_SYSTEM}


def test_every_class_is_public():
    for kind in {*errors.CLASSES.values(), winipc.Error}:
        assert getattr(winipc, kind.__name__) is kind
        assert kind.__doc__


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        ("Timeout", "TimeoutError"),
        ("Disconnected", "ConnectionError"),
        ("Truncated", "ConnectionError"),
        ("NotFound", "FileNotFoundError"),
        ("Exists", "FileExistsError"),
        ("AccessDenied", "PermissionError"),
        ("InvalidArgument", "ValueError"),
        ("InvalidHandle", "ValueError"),
        ("WouldBlock", "BlockingIOError"),
        ("Cancelled", "OSError"),
    ],
)
def test_an_error_is_also_what_python_calls_it(kind, builtin):
    assert issubclass(getattr(winipc, kind), getattr(builtins, builtin))
    assert issubclass(getattr(winipc, kind), winipc.Error)
    assert issubclass(winipc.Error, OSError)


def test_an_error_knows_status_code_call_and_text(address):
    with pytest.raises(winipc.NotFound) as caught:
        winipc.connect(address, timeout=0)
    assert caught.value.status is winipc.Status.E_NOT_FOUND
    assert caught.value.winerror == 2  # ERROR_FILE_NOT_FOUND
    assert address.removeprefix("pipe:") in caught.value.strerror
    assert str(caught.value) == caught.value.strerror
    assert isinstance(caught.value.call, str)


def test_an_error_of_the_library_itself_has_no_code(pair):
    with pytest.raises(winipc.Timeout) as caught:
        pair[0].receive(0)
    assert caught.value.winerror == 0
    assert str(caught.value)


@pytest.mark.parametrize("status", [int(s) for s in errors.Status if s < 0] + [-99])
def test_an_error_can_be_pickled(status):
    error = errors.error_of(status, 5, "CreateFileW", "no")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    for attribute in ("status", "winerror", "call", "strerror"):
        assert getattr(again, attribute) == getattr(error, attribute)


def test_the_details_are_those_of_the_call_that_failed(pair, address):
    with pytest.raises(winipc.NotFound):
        winipc.connect(address + "-not-there", timeout=0)
    with pytest.raises(winipc.Timeout, match="time"):
        pair[0].receive(0)
    assert native.last_error()["status"] == winipc.Status.E_TIMEOUT


def test_the_log_hears_of_errors(pair):
    heard = []
    winipc.set_log(lambda *error: heard.append(error))
    try:
        with pytest.raises(winipc.Timeout):
            pair[0].receive(0)
        for _ in range(100):  # delivered between two steps of the main thread
            if heard:
                break
    finally:
        winipc.set_log(None)
    status, code, call, text = heard[0]
    assert (status, code, call) == (winipc.Status.E_TIMEOUT, 0, "")
    assert text
    with pytest.raises(winipc.Timeout):
        pair[0].receive(0)
    assert len(heard) == 1


def test_a_log_is_a_callable():
    with pytest.raises(TypeError):
        winipc.set_log(5)


def test_no_error_is_left_over_after_success(pair):
    with pytest.raises(winipc.Timeout):
        pair[0].receive(0)
    pair[1].send(b"x")
    assert pair[0].receive(SOON) == b"x"


def test_the_stub_names_the_functions_of_the_module():
    stub = (Path(winipc.__file__).parent / "native.pyi").read_text(encoding="utf-8")
    declared = set(re.findall(r"^(?:def|class) (\w+)", stub, re.M)) - {"__getattr__"}
    module = vars(native).items()
    found = {name for name, value in module if callable(value) and not name.startswith("_")}
    assert declared == found
