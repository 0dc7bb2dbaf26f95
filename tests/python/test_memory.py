"""Shared memory, and that nothing of it can be touched after its end."""

from __future__ import annotations

import ctypes
import gc
import mmap
import struct
import warnings

import pytest
import winipc


@pytest.fixture
def memory(name):
    with winipc.SharedMemory(name, 5000, create=True) as memory:
        yield memory


def test_two_processes_see_the_same_bytes(memory, name, start):
    program = """
        import sys, winipc
        with winipc.SharedMemory(sys.argv[1]) as memory:
            assert not memory.created and memory.size == 5000 and memory.exact
            memory.buf[0:5] = bytes(memory.buf[0:5]).upper()
    """
    memory.buf[:5] = b"shine"
    assert start(program, name).wait(30) == 0
    assert bytes(memory.buf[:6]) == b"SHINE\0"


def test_what_memory_tells_of_itself(memory, name):
    import os

    assert memory.info == (5000, True, os.getpid(), True)
    assert len(memory.buf) == memory.size == 5000
    assert memory.name == name


def test_create_says_what_has_to_be(name):
    with pytest.raises(FileNotFoundError):
        winipc.SharedMemory(name)
    with pytest.raises(FileNotFoundError):
        winipc.SharedMemory(name, create=False)
    with winipc.SharedMemory(name, 100) as first, winipc.SharedMemory(name, 100) as second:
        assert (first.created, second.created) == (True, False)
        with pytest.raises(FileExistsError):
            winipc.SharedMemory(name, 100, create=True)
        with pytest.raises((winipc.TooLarge, ValueError)):
            winipc.SharedMemory(name, 1_000_000)


def test_memory_of_other_programs_is_rounded_up_and_says_so(name):
    with mmap.mmap(-1, 5000, tagname=name) as other, winipc.SharedMemory(name) as memory:
        other[:5] = b"Shine"
        assert bytes(memory.buf[:5]) == b"Shine"
        assert (memory.size, memory.exact) == (8192, False)


def test_other_programs_see_ours(memory, name):
    with mmap.mmap(-1, 5000, tagname=name) as other:
        memory.buf[:5] = b"Shine"
        assert other[:5] == b"Shine"


def test_memory_closes_only_when_nobody_looks(memory):
    part = memory.buf[10:20]
    with pytest.raises(BufferError, match="1 view"):
        memory.close()
    part[:] = b"0123456789"
    assert bytes(memory.buf[10:20]) == b"0123456789"
    part.release()
    memory.close()
    assert memory.closed
    with pytest.raises(ValueError):
        memory.buf  # noqa: B018


def test_a_view_outlives_the_object_that_made_it(name):
    memory = winipc.SharedMemory(name, 100)
    part = memory.buf[:4]
    del memory
    gc.collect()
    part[:] = b"abcd"
    with winipc.SharedMemory(name) as again:  # still mapped, so still there
        assert bytes(again.buf[:4]) == b"abcd"
    with pytest.warns(ResourceWarning):
        del part
        gc.collect()
    with pytest.raises(FileNotFoundError):
        winipc.SharedMemory(name)


def test_the_buffer_of_closed_memory_is_released(memory):
    whole = memory.buf
    memory.close()
    with pytest.raises(ValueError):
        whole[0]


def test_everything_that_takes_a_buffer_takes_a_view(memory):
    with memory.map(0, 16) as view:
        struct.pack_into("<II", view, 0, 1, 2)
        assert struct.unpack_from("<II", view) == (1, 2)
        array = (ctypes.c_uint32 * 2).from_buffer(view)
        array[1] = 7
        with pytest.raises(BufferError):
            view.close()
        del array
        gc.collect()
        assert bytes(view)[:8] == struct.pack("<II", 1, 7)
        assert len(view) == 16
    with pytest.raises(ValueError):
        memoryview(view)
    view.close()


def test_views_may_lie_anywhere(memory):
    memory.buf[:] = bytes(i % 251 for i in range(5000))
    for offset, size in ((0, 1), (1, 4999), (4095, 2), (4999, 1), (17, 0)):
        with memory.map(offset, size) as view:
            assert bytes(view) == bytes(memory.buf[offset : offset + size if size else None])
    for offset, size in ((5000, 1), (0, 5001), (4999, 2)):
        with pytest.raises(winipc.Error):
            memory.map(offset, size)
    for offset, size in ((-1, 1), (0, -1), (1 << 70, 1)):
        with pytest.raises((ValueError, OverflowError)):
            memory.map(offset, size)


def test_a_view_to_read_cannot_be_written(memory, name):
    with memory.map(protection="read") as view:
        assert memoryview(view).readonly
        with pytest.raises(TypeError):
            memoryview(view)[0] = 1
    with winipc.SharedMemory(name, protection="read") as reader:
        assert reader.buf.readonly
        with pytest.raises(winipc.Error):
            reader.map(protection="read_write")


def test_what_is_written_copy_on_write_stays_here(memory):
    with memory.map(protection="copy_on_write") as view:
        memoryview(view)[0] = 9
        assert memoryview(view)[0] == 9
        assert memory.buf[0] == 0


def test_memory_of_a_file_is_the_file(tmp_path):
    path = tmp_path / "frames.bin"
    path.write_bytes(b"0123456789")
    with winipc.SharedMemory(path=path) as memory:
        assert (memory.size, memory.exact) == (10, True)
        memory.buf[0:1] = b"X"
        memory.flush()
        assert path.read_bytes() == b"X123456789"
    with winipc.SharedMemory(path=path, size=20) as memory:
        assert bytes(memory.buf) == b"X123456789" + bytes(10)
    assert path.stat().st_size == 20


def test_a_file_of_zero_length_is_refused(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    with pytest.raises(winipc.Error):
        winipc.SharedMemory(path=path)


def test_unnamed_memory_goes_by_its_handle(memory):
    import _winapi

    current = _winapi.GetCurrentProcess()
    with winipc.SharedMemory(size=100) as unnamed:
        unnamed.buf[:5] = b"Shine"
        copy = _winapi.DuplicateHandle(
            current, unnamed.handle, current, 0, False, _winapi.DUPLICATE_SAME_ACCESS
        )
        with winipc.SharedMemory.from_handle(copy) as other:
            assert other.size == 100
            assert bytes(other.buf[:5]) == b"Shine"


def test_an_initialiser_runs_once(name):
    calls = []

    def initialise(view):
        calls.append(len(view))
        view[:4] = b"init"

    with (
        winipc.SharedMemory(name, 100, initialise=initialise) as first,
        winipc.SharedMemory(name, 100, initialise=initialise) as second,
    ):
        assert calls == [100]
        assert bytes(first.buf[:4]) == bytes(second.buf[:4]) == b"init"


def test_an_initialiser_that_fails_lets_the_next_one_run(name):
    def fail(view):
        view[0] = 1
        raise ZeroDivisionError

    with winipc.SharedMemory(name, 100):
        with pytest.raises(ZeroDivisionError):
            winipc.SharedMemory(name, 100, initialise=fail)
        with winipc.SharedMemory(name, 100, initialise=lambda view: None) as memory:
            assert memory.buf[0] == 1


def test_an_initialiser_that_keeps_its_view_hurts_nobody(name):
    kept = []
    with pytest.raises(BufferError):
        winipc.SharedMemory(name, 100, initialise=lambda view: kept.append(view[:10]))
    kept[0][:] = b"0123456789"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept.clear()
        gc.collect()


def test_another_process_waits_for_the_initialiser(name, start, aside):
    program = """
        import sys, winipc
        with winipc.SharedMemory(sys.argv[1], 100, initialise=lambda view: None) as memory:
            sys.exit(memory.buf[0])
    """
    children = []

    def initialise(view):
        children.append(start(program, name))
        with pytest.raises(Exception, match="timed out"):
            children[0].wait(1)
        view[0] = 42

    with winipc.SharedMemory(name, 100, initialise=initialise):
        assert children[0].wait(30) == 42


@pytest.mark.parametrize("size", [0, -1, 1 << 64, "5"])
def test_a_bad_size_is_refused(name, size):
    with pytest.raises((ValueError, TypeError, OverflowError)):
        winipc.SharedMemory(name, size, create=True)


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
def test_a_bad_name_is_a_value_error(bad):
    with pytest.raises(ValueError):
        winipc.SharedMemory(bad, 100)


def test_memory_without_a_name_cannot_be_opened():
    with pytest.raises(ValueError):
        winipc.SharedMemory()


def test_a_thousand_views_leave_nothing_behind(memory):
    views = [memory.map(i, 100) for i in range(1000)]
    memory.close()
    for view in views:
        with pytest.raises(ValueError):
            memoryview(view)
