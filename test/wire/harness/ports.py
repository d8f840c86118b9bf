"""Port numbers for servers that must be told one.

They lie below the range that the kernel gives to outgoing connections, and each is held by an abstract Unix socket for
as long as this process lives, so tests that run at the same time, in any number of processes, never get the same one.
"""
import random
import socket

_FIRST, _LAST = 12000, 31999
_held = []


def free_port():
    while True:
        port = random.randint(_FIRST, _LAST)
        hold = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            hold.bind(f"\0portico-test-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("0.0.0.0", port))
        except OSError:
            hold.close()
            continue
        _held.append(hold)
        return port
