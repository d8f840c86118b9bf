"""System calls per request: strace counts them in the warm process tree over an exact number of requests."""
import shutil
import signal
import time

from . import site
from .processes import Failure, tree


def attached(child, patience=10.0):
    """Waits until strace says that it holds every process."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and child.alive():
        with open(child.log, errors='replace') as file:
            if 'attached' in file.read():
                time.sleep(0.3)
                return
        time.sleep(0.05)
    raise Failure(f'strace could not attach:\n{child.explain()}')


def count(stage, server, requests, options):
    """Returns {name of the call: calls per request}."""
    if shutil.which('strace') is None:
        raise Failure('strace is not installed')
    path = stage.path('strace.out')
    pids = [word for pid in tree(server.pid) for word in ('-p', str(pid))]
    tracer = stage.start('strace', ['strace', '-f', '-c', '-U', 'name,calls,errors', '-o', path, *pids], stage.load_cpu)
    attached(tracer)
    outcome = server.load('--requests', requests, *options)
    tracer.stop(how=signal.SIGINT)
    stage.children.remove(tracer)
    wrong = site.errors(outcome)
    if wrong:
        raise Failure(f'{server.peer.label} under strace: {wrong}')
    calls = {}
    with open(path) as file:
        for line in file:
            words = line.split()
            if len(words) >= 2 and words[1].isdigit() and words[0] != 'total':
                calls[words[0]] = int(words[1]) / requests
    return calls
