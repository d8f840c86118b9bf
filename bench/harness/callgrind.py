"""User instructions per request, by the difference of two callgrind runs of different length.

What start-up, connection set-up and the end cost is in both runs and drops out; what remains is the requests'."""
import glob
import os
import re
import shutil
import subprocess
import time

from . import site
from .processes import Failure

LINE = re.compile(r'^\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S.*)$')


class Run:
    """One run: what callgrind wrote for each process, `requests` long."""

    def __init__(self, stage, peer, origin, requests, options, log, scenario, keep=None):
        if shutil.which('valgrind') is None:
            raise Failure('valgrind is not installed')
        self.requests = requests
        self.folder = keep or stage.path(f'callgrind-{peer.kind}')
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        wrap = ['valgrind', '--tool=callgrind', '--trace-children=yes', '--fair-sched=try', '-q',
                f'--callgrind-out-file={self.folder}/out.%p']
        server = site.Server(stage, peer, origin, log=log, wrap=wrap, patience=120, tls=scenario.tls,
                             routers=scenario.routers, needs=scenario.needs)
        outcome = server.load('--requests', requests, *options)
        wrong = site.errors(outcome)
        if wrong:
            raise Failure(f'{peer.label} under callgrind: {wrong}\n{server.child.explain()}')
        server.stop(patience=30.0)
        stage.children.remove(server.child)
        self.wait_for_children()
        self.files = glob.glob(f'{self.folder}/out.*')
        if not self.files:
            raise Failure(f'{peer.label}: callgrind wrote nothing:\n{server.child.explain()}')

    def wait_for_children(self):
        """Processes that the peer has forked write their files a little later than it does."""
        for _ in range(300):
            if subprocess.run(['pgrep', '-f', f'{self.folder}/out'], capture_output=True).returncode != 0:
                return
            time.sleep(0.1)

    def instructions(self):
        """Over all processes; a file states its sum as totals, or in older formats only as summary."""
        total = 0
        for path in self.files:
            with open(path, errors='replace') as file:
                sums = [line.split() for line in file if line.startswith(('summary:', 'totals:'))]
            key = 'totals:' if any(words[0] == 'totals:' for words in sums) else 'summary:'
            total += sum(int(words[1]) for words in sums if words[0] == key)
        return total

    def functions(self, inclusive):
        """Instructions by function, over all processes."""
        counts = {}
        for path in self.files:
            out = subprocess.run(['callgrind_annotate', '--threshold=100', '--auto=no',
                                  f'--inclusive={"yes" if inclusive else "no"}', path], capture_output=True, text=True)
            for line in out.stdout.splitlines():
                match = LINE.match(line)
                if match and 'PROGRAM TOTALS' not in line:
                    name = tidy(match[2])
                    counts[name] = counts.get(name, 0) + int(match[1].replace(',', ''))
        return counts

    def annotated(self):
        """callgrind_annotate's source view of the process that did the most."""
        largest = max(self.files, key=os.path.getsize)
        out = subprocess.run(['callgrind_annotate', '--auto=yes', '--threshold=95', '--context=3', largest],
                             capture_output=True, text=True)
        return out.stdout


def tidy(name):
    """'./src/loop/loop.c:loop_run [/a/b/portico]' becomes 'loop_run  src/loop/loop.c'."""
    name, _, binary = name.partition(' [')
    file, _, function = name.rpartition(':')
    where = os.path.basename(binary.rstrip(']')) if file in ('', '???') else re.sub(r'^.*?/?(src/)', r'\1', file)
    return f'{function}  {where}'


def difference(short, long):
    """Instructions per request."""
    return (long.instructions() - short.instructions()) / (long.requests - short.requests)


def top(short, long, count, inclusive):
    """The `count` functions that cost most per request: [(instructions, name)]."""
    before, after = short.functions(inclusive), long.functions(inclusive)
    more = long.requests - short.requests
    costs = sorted(((cost - before.get(name, 0)) / more, name) for name, cost in after.items())
    return [entry for entry in reversed(costs) if entry[0] >= 0.5][:count]
