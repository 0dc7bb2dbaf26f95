"""Python's own pipes as peers: asyncio and multiprocessing.connection, both ways round."""

from __future__ import annotations

import asyncio
import multiprocessing.connection as mpc

import pytest
import winipc
from support import SOON


class Echo(asyncio.Protocol):
    """Says everything again, in capitals."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data.upper())


def test_a_server_of_asyncio_serves_our_clients(name, address):
    async def main():
        loop = asyncio.get_running_loop()
        (server,) = await loop.start_serving_pipe(Echo, rf"\\.\pipe\{name}")
        replies = await asyncio.gather(*[asyncio.to_thread(ask, f"client {i}".encode()) for i in range(5)])
        server.close()
        return replies

    def ask(message):
        with winipc.connect(address, timeout=SOON, framing="line") as connection:
            connection.send(message, SOON)
            return connection.receive(SOON)

    assert asyncio.run(main()) == [f"CLIENT {i}".encode() for i in range(5)]


def test_a_client_of_asyncio_talks_to_our_server(name, address, aside):
    def serve(listener):
        with listener.accept(SOON) as connection:
            line = connection.receive(SOON)
            connection.send(line.upper(), SOON)
            connection.drain(SOON)

    async def main():
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.create_pipe_connection(lambda: protocol, rf"\\.\pipe\{name}")
        transport.write(b"hello\n")
        line = await reader.readline()
        transport.close()
        return line

    with winipc.listen(address, type="byte", framing="line") as listener:
        served = aside(serve, listener)
        assert asyncio.run(asyncio.wait_for(main(), SOON)) == b"HELLO\n"
        served.result(SOON)


class Adapter:
    """A connection with the names that multiprocessing's authentication calls."""

    def __init__(self, connection: winipc.Connection) -> None:
        self.connection = connection

    def send_bytes(self, data):
        self.connection.send(data, SOON)

    def recv_bytes(self, most=None):
        return self.connection.receive(SOON)


KEY = b"a shared secret"


def test_our_client_talks_to_a_listener_of_multiprocessing(name, address, aside):
    def serve(listener):
        with listener.accept() as connection:
            connection.send_bytes(connection.recv_bytes().upper())
            return connection.recv_bytes()

    with mpc.Listener(rf"\\.\pipe\{name}", "AF_PIPE", authkey=KEY) as listener:
        served = aside(serve, listener)
        with winipc.connect(address, timeout=SOON) as connection:
            mpc.answer_challenge(Adapter(connection), KEY)
            mpc.deliver_challenge(Adapter(connection), KEY)
            assert connection.transact(b"hello", SOON) == b"HELLO"
            large = bytes(200_000)
            connection.send(large, SOON)
            assert served.result(SOON) == large


def test_our_server_talks_to_a_client_of_multiprocessing(name, address, aside):
    def ask():
        with mpc.Client(rf"\\.\pipe\{name}", "AF_PIPE", authkey=KEY) as client:
            client.send_bytes(b"hello")
            return client.recv_bytes()

    with winipc.listen(address) as listener:
        asked = aside(ask)
        with listener.accept(SOON) as connection:
            mpc.deliver_challenge(Adapter(connection), KEY)
            mpc.answer_challenge(Adapter(connection), KEY)
            connection.send(connection.receive(SOON).upper(), SOON)
            assert asked.result(SOON) == b"HELLO"


def test_the_wrong_key_is_refused(name, address, aside):
    def serve(listener):
        with pytest.raises(mpc.AuthenticationError):
            listener.accept()

    with mpc.Listener(rf"\\.\pipe\{name}", "AF_PIPE", authkey=KEY) as listener:
        served = aside(serve, listener)
        with winipc.connect(address, timeout=SOON) as ours, pytest.raises(mpc.AuthenticationError):
            mpc.answer_challenge(Adapter(ours), b"wrong")
        served.result(SOON)


def test_a_detached_connection_becomes_one_of_multiprocessing(pair):
    client, server = pair
    with mpc.PipeConnection(client.detach()) as theirs:
        theirs.send({"any": "object"})
        server.send(server.receive(SOON), SOON)
        assert theirs.recv() == {"any": "object"}


def test_a_pipe_of_multiprocessing_becomes_ours():
    ours, theirs = mpc.Pipe()
    with theirs, winipc.from_handle(ours.fileno(), framing="message") as connection:
        ours._handle = None  # it is the connection's now
        connection.send(b"hello", SOON)
        assert theirs.recv_bytes() == b"hello"
