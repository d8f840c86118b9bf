"""Starts processes on chosen cores, measures whole process trees, and leaves nothing behind.

Everything is started through a `Stage`, which owns a scratch folder and ends its processes when it closes, also when
the harness is interrupted. Should the harness be killed outright, the kernel sends its children SIGTERM."""
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TICKS = os.sysconf('SC_CLK_TCK')
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """Something that the person at the terminal has to know; printed without a trace."""


class Child:
    """One started process with the tree below it."""

    def __init__(self, process, name, log):
        self.process, self.name, self.log = process, name, log

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def explain(self):
        """The end of what it wrote, for an error message."""
        with open(self.log, errors='replace') as file:
            return ''.join('    ' + line for line in file.readlines()[-12:])

    def stop(self, patience=8.0, how=signal.SIGTERM):
        """Ends the process and whatever it started."""
        pids = tree(self.pid)
        if self.alive():
            self.process.send_signal(how)
        deadline = time.monotonic() + patience
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        while any(runs(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in pids:
            if runs(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


class Stage:
    """A scratch folder and the processes of one benchmark."""

    def __init__(self, proxy_cpu=None, load_cpu=None):
        cpus = sorted(os.sched_getaffinity(0))
        self.proxy_cpu = cpus[-1] if proxy_cpu is None else proxy_cpu
        self.load_cpu = cpus[0] if load_cpu is None else load_cpu
        self.children = []
        self.serial = 0
        self.taken = set()
        self.realtime = False   # peers are preempted by nothing but the kernel
        self.all_realtime = False   # ... nor are the generator and the origin

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='portico-bench-')
        os.chmod(self.folder, 0o755)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
        return self

    def __exit__(self, *what):
        for child in reversed(self.children):
            child.stop(patience=3.0)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, command, cpu, cwd=None, stdin=subprocess.DEVNULL, stdout=None, environment=None,
              realtime=False):
        log = self.path(f'{name}.log')
        parent = os.getpid()
        realtime = realtime or self.all_realtime

        def prepare():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            os.sched_setaffinity(0, {cpu} if isinstance(cpu, int) else cpu)
            if realtime:
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
            os.setsid()
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        with open(log, 'ab') as file:
            try:
                process = subprocess.Popen(command, cwd=cwd or self.folder, stdin=stdin, stdout=stdout or file, stderr=file,
                                           preexec_fn=prepare, env={**os.environ, **(environment or {})})
            except OSError as error:
                raise Failure(f'{name}: {command[0]}: {error.strerror}') from None
            except subprocess.SubprocessError:
                raise Failure(f'{name}: could not be prepared{" (real-time priority takes root)" if realtime else ""}') from None
        child = Child(process, name, log)
        self.children.append(child)
        return child

    def path(self, name):
        """A name in the scratch folder that nobody else has."""
        self.serial += 1
        return os.path.join(self.folder, f'{self.serial}-{name}')

    def port(self):
        """A free port below the range that outgoing connections take theirs from."""
        for port in range(20000 + os.getpid() % 9000, 32000):
            if port in self.taken:
                continue
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(('127.0.0.1', port))
                except OSError:
                    continue
            self.taken.add(port)
            return port
        raise Failure('no free port')

    def wait_for_port(self, child, port, patience=30.0):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not child.alive():
                raise Failure(f'{child.name} ended with {child.process.returncode}:\n{child.explain()}')
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', port)) == 0:
                    return
            time.sleep(0.02)
        raise Failure(f'{child.name} does not listen on port {port}:\n{child.explain()}')


def runs(pid):
    fields = stat(pid)
    return fields is not None and fields[0] != 'Z'


def stat(pid):
    """The fields of /proc/PID/stat from the state on, or None when the process is gone."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def tree(root):
    """`root` and all processes below it."""
    parents = {}
    for name in os.listdir('/proc'):
        fields = stat(name) if name.isdigit() else None
        if fields:
            parents.setdefault(int(fields[1]), []).append(int(name))
    found = [root]
    for pid in found:
        found.extend(parents.get(pid, []))
    return found


def cpu_seconds(root):
    """User and system time of the tree, with the children that it has already waited for."""
    ticks = 0
    for pid in tree(root):
        fields = stat(pid)
        if fields:
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def resident_bytes(root):
    """Proportional set size of the tree."""
    return memory_bytes(root, ('Pss:',))


def preemptions(root):
    """How often a thread of the tree had to leave its core to others."""
    total = 0
    for pid in tree(root):
        try:
            for thread in os.listdir(f'/proc/{pid}/task'):
                with open(f'/proc/{pid}/task/{thread}/status') as file:
                    total += sum(int(line.split()[1]) for line in file if line.startswith('nonvoluntary_ctxt_switches:'))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def private_bytes(root):
    """What the tree's processes share with nobody."""
    return memory_bytes(root, ('Private_Clean:', 'Private_Dirty:'))


def memory_bytes(root, names):
    total = 0
    for pid in tree(root):
        try:
            with open(f'/proc/{pid}/smaps_rollup') as file:
                total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith(names))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total
