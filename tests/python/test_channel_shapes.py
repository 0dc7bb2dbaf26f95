"""One to many, many to one, and a look at who is there."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
import winipc
from support import SOON

PATIENCE = 40  # seconds; a Python starts slowly while much else runs


def test_each_subscriber_gets_everything(name):
    with (
        winipc.Publisher(name, max_peers=3, fields={"sequence"}) as publisher,
        winipc.Subscriber(name) as one,
        winipc.Subscriber(f"channel:{name}") as two,
    ):
        publisher.send_many([b"a", b"b"])
        publisher.send(b"c")
        assert one.receive_many() == [b"a", b"b", b"c"]
        with two.peek(SOON) as view:
            assert view == b"a"
        assert (two.receive(SOON), two.received.sequence) == (b"b", 1)
        publisher.close()
        assert (list(one), list(two)) == ([], [b"c"])


def test_a_publisher_needs_nobody(name):
    with winipc.Publisher(name) as publisher:
        for _ in range(1000):
            assert publisher.send(bytes(5000)) is True
        with pytest.raises(winipc.Unsupported):
            publisher.receive(0)
        with pytest.raises(winipc.Unsupported):
            publisher.peek(0)
        with pytest.raises(winipc.Exists):
            winipc.Publisher(name)
    with pytest.raises(winipc.NotFound):
        winipc.Subscriber(name, timeout=0.1)


def test_a_slow_subscriber_is_told_what_it_missed(name):
    with (
        winipc.Publisher(name, capacity=4096, fields="sequence") as publisher,
        winipc.Subscriber(name) as subscriber,
    ):
        for number in range(100):
            publisher.send(number.to_bytes(400, "little"))
        number = int.from_bytes(subscriber.receive(SOON), "little")
        told = subscriber.received
        assert told.lost == told.sequence == number > 0
        for later in range(number + 1, 100):
            assert int.from_bytes(subscriber.receive(SOON), "little") == later
            assert subscriber.received.lost == 0
        with pytest.raises(winipc.Timeout):
            subscriber.receive(0)


def test_a_late_subscriber_may_begin_with_the_oldest(name):
    with winipc.Publisher(name) as publisher:
        publisher.send_many([b"one", b"two"])
        with winipc.Subscriber(name, from_oldest=True) as early, winipc.Subscriber(name) as late:
            publisher.send(b"three")
            assert early.receive_many() == [b"one", b"two", b"three"]
            assert late.receive_many() == [b"three"]
            with pytest.raises(winipc.Unsupported):
                late.send(b"x")
            with pytest.raises(winipc.Unsupported):
                late.reserve(5)


def test_a_publisher_may_wait_for_its_readers(name, aside):
    with (
        winipc.Publisher(name, capacity=4096, full="block") as publisher,
        winipc.Subscriber(name) as subscriber,
    ):
        sent = aside(lambda: [publisher.send(bytes(500), SOON) for _ in range(100)])
        assert sum(len(subscriber.receive(SOON)) for _ in range(100)) == 50_000
        assert all(sent.result(SOON))


SUBSCRIBER = """
import sys, winipc
with winipc.Subscriber(sys.argv[1], timeout=40) as subscriber:
    print("here", flush=True)
    numbers = [int(message) for message in subscriber]
    print(numbers == list(range(500)), subscriber.channel_info.lost, flush=True)
"""


def test_subscribers_in_processes_of_their_own(start, name):
    with winipc.Publisher(name) as publisher:
        others = [start(SUBSCRIBER, name, stdout=subprocess.PIPE) for _ in range(2)]
        for other in others:
            assert other.stdout.readline().strip() == b"here"
        roles = sorted(member.role for member in winipc.channel_members(name))
        assert roles == ["publisher", "subscriber", "subscriber"]
        for number in range(500):
            publisher.send(b"%d" % number)
    for other in others:
        assert other.stdout.readline().split() == [b"True", b"0"]
        assert other.wait(PATIENCE) == 0


def test_a_funnel_receives_from_every_lane(name):
    with winipc.Funnel(name) as funnel, winipc.Lane(name) as one, winipc.Lane(name) as two:
        one.send(b"one")
        two.send(b"two")
        with two.reserve(5) as view:
            view[:] = b"three"
        assert sorted(funnel.receive(SOON) for _ in range(3)) == [b"one", b"three", b"two"]
        with pytest.raises(winipc.Unsupported):
            funnel.send(b"x")
        with pytest.raises(winipc.Unsupported):
            one.receive(0)
        one.send(b"last")
        one.close()
        with funnel.peek(SOON) as view:
            assert view == b"last"
        with pytest.raises(winipc.Timeout):
            funnel.receive(0.1)
        funnel.close()
        with pytest.raises(ConnectionError):
            for _ in range(100):
                two.send(b"x")
                time.sleep(0.05)


LANE = """
import sys, time, winipc
with winipc.Lane(sys.argv[1], timeout=40) as lane:
    for number in range(300):
        lane.send(b"%s %d" % (sys.argv[2].encode(), number))
    if sys.argv[2] == "doomed":
        time.sleep(60)
"""


def test_lanes_of_other_processes_of_which_one_is_killed(start, name):
    with winipc.Funnel(name, max_peers=3) as funnel:
        doomed, *others = [start(LANE, name, word) for word in ("doomed", "a", "b")]
        received: dict[bytes, list[int]] = {}
        senders = set()
        for _ in range(900):
            word, number = funnel.receive(PATIENCE).split()
            received.setdefault(word, []).append(int(number))
            senders.add(funnel.received.sender)
        assert received == {word: list(range(300)) for word in (b"doomed", b"a", b"b")}
        assert len(senders) == 3
        doomed.kill()
        for other in others:
            assert other.wait(PATIENCE) == 0
        with pytest.raises(winipc.Timeout):
            funnel.receive(0.2)
        with winipc.Lane(name) as lane:
            lane.send(b"still open")
            assert funnel.receive(SOON) == b"still open"


def test_a_full_house_keeps_others_waiting(name):
    with winipc.Funnel(name, max_peers=1) as funnel, winipc.Lane(name) as lane:
        with pytest.raises(winipc.Busy):
            winipc.Lane(name, timeout=1)
        lane.send(b"x")
        assert funnel.receive(SOON) == b"x"


# ---- who is there ----


def test_members_are_told_with_their_counters(name, channels):
    a, b = channels
    a.send_many([b"one", b"two"])
    b.receive(SOON)
    with pytest.raises(winipc.Timeout):
        a.receive(0.01)
    members = winipc.channel_members(f"channel:{name}")
    assert [member.role for member in members] == ["pair", "pair"]
    assert sorted(member.messages for member in members) == [0, 2]
    assert sum(member.unread for member in members) > 0
    for member in members:
        assert member.pid == a.peer.pid
        assert abs((datetime.now(UTC) - member.since).total_seconds()) < 60
        assert member.image.lower().endswith(sys.executable.rsplit("\\")[-1].lower())
        assert member.waiting is False
    told = a.channel_info
    assert (told.role, told.messages, told.capacity, told.dropped) == ("pair", 2, 1 << 20, 0)
    assert told.sleeps >= 1


def test_more_members_than_expected(name):
    with winipc.Channel.listen(name, capacity=4096) as listener:
        pairs = []
        for _ in range(40):
            pairs.append(winipc.connect(f"channel:{name}"))
            pairs.append(listener.accept(SOON))
        assert len(winipc.channel_members(name)) == 80
        for end in pairs:
            end.close()


def test_nobody_is_there(name):
    with pytest.raises(winipc.NotFound):
        winipc.channel_members(name, timeout=0.1)
