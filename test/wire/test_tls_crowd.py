"""Many handshakes at once: requests on connections that are there wait for one of them, not for all; they themselves are served in
the order in which they came; whoever leaves meanwhile holds up nobody."""
import os
import select
import signal
import socket
import struct
from pathlib import Path

import pytest

from harness.client import Client
from harness.tls import BareTls
from harness.waiting import wait_for

CROWD = 300


def closing(stack, client):
    stack.callback(client.close)
    return client


@pytest.fixture
def proxy(portico, authority):
    """Plain and in TLS on one port and one worker, answering by itself."""
    router = {"rule": "PathPrefix(`/`)", "service": "own"}
    return portico({"workers": 1, "tls": {"certificates": [authority.issue("localhost").options]},
                    "http": {"routers": {"plain": router, "secure": {**router, "tls": {}}},
                             "services": {"own": {"respond": {"body": "fine"}}}}})


@pytest.fixture
def crowd(proxy, stack):
    """Clients whose connections were accepted and who have said nothing yet."""
    clients = [closing(stack, BareTls(proxy.port)) for _ in range(CROWD)]
    assert proxy.get().body == b"fine"      # behind all of them in the queue
    return clients


class Standstill:
    """What is sent meanwhile lies there at once when the proxy goes on."""

    def __init__(self, proxy):
        self._proxy, self._pid = proxy, proxy.process.popen.pid

    def __enter__(self):
        os.kill(self._pid, signal.SIGSTOP)
        self._proxy.wait_until("it to stand still", lambda: all(
            (task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in Path(f"/proc/{self._pid}/task").iterdir()))

    def __exit__(self, *what):
        os.kill(self._pid, signal.SIGCONT)


def is_readable(client):
    poll = select.poll()
    poll.register(client.socket, select.POLLIN)
    return bool(poll.poll(0))


def in_order_of_answers(clients, watch):
    """The kernel lists sockets in the order in which they became ready, as long as nobody asks before all are."""
    for client in clients:
        wait_for("every answer", lambda client=client: is_readable(client))
    by_descriptor = {client.socket.fileno(): client for client in clients}
    return [by_descriptor[descriptor] for descriptor, _ in watch.poll(0, len(clients))]


def test_a_request_waits_for_few_of_the_handshakes_before_it_and_these_are_served_in_order(proxy, crowd, stack):
    plain = closing(stack, Client(proxy.port))
    assert plain.request().body == b"fine"
    watch = stack.enter_context(select.epoll())
    for client in [plain, *crowd]:
        watch.register(client.socket, select.EPOLLIN)
    with Standstill(proxy):
        for client in crowd:
            client.socket.sendall(client.hello())
        plain.send_request()
    answered = in_order_of_answers([plain, *crowd], watch)
    place = answered.index(plain)
    assert len(answered) == CROWD + 1 and place < CROWD / 2
    assert [client for client in answered if client is not plain] == crowd
    assert plain.response().body == b"fine"
    for client in crowd:
        assert client.handshake().request().body == b"fine"


def reset(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


@pytest.mark.parametrize("leave", [reset, lambda client: client.socket.close()], ids=["reset", "end"])
def test_those_who_leave_while_they_wait_are_forgotten_and_all_others_served(proxy, crowd, leave):
    with Standstill(proxy):
        for client in crowd:
            client.socket.sendall(client.hello())
        for client in crowd[::2]:
            leave(client)
    for client in crowd[1::2]:
        assert client.handshake().request().body == b"fine"
    assert proxy.get().body == b"fine"


def test_those_who_leave_between_their_flights_hold_up_nobody(proxy, crowd):
    with Standstill(proxy):
        for client in crowd:
            client.socket.sendall(client.hello())
    for client in crowd[::2]:
        reset(client)
    for client in crowd[1::2]:
        assert client.handshake().request().body == b"fine"
    assert proxy.get().body == b"fine"


def test_a_crowd_that_waits_is_let_go_when_the_process_stops(proxy, crowd):
    with Standstill(proxy):
        for client in crowd:
            client.socket.sendall(client.hello())
        proxy.process.popen.send_signal(signal.SIGTERM)
        proxy.process.popen.send_signal(signal.SIGINT)
    wait_for("its end", lambda: proxy.process.popen.poll() is not None)
