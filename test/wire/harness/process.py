"""A process with a process group of its own, its output in a file, ended for certain."""
import os
import signal
import socket
import subprocess

from .waiting import PATIENCE, wait_for


class Process:
    def __init__(self, name, command, output, env=None, cwd=None, nofile=None):
        self.name = name
        self.output_path = output
        with open(output, "ab") as file:
            self.popen = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                          start_new_session=True, cwd=cwd, env={**os.environ, **(env or {})})

    @property
    def pid(self):
        return self.popen.pid

    @property
    def output(self):
        with open(self.output_path, errors="replace") as file:
            return file.read()

    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def wait_for_output(self, text):
        """Waits until the process has said `text`; its whole output."""
        def said():
            output = self.output
            if text in output:
                return output
            assert self.running(), f"{self.name} ended with {self.popen.returncode}:\n{output}"
        return wait_for(f"{self.name} to say {text!r}", said)

    def wait_for_port(self, port, host="127.0.0.1"):
        def accepts():
            assert self.running(), f"{self.name} ended with {self.popen.returncode}:\n{self.output}"
            try:
                socket.create_connection((host, port), timeout=1).close()
                return True
            except OSError:
                return False
        wait_for(f"{self.name} to accept on port {port}", accepts)

    def wait(self, patience=PATIENCE):
        """Waits for the end; the exit code."""
        return self.popen.wait(patience)

    def kill(self):
        """Ends the whole group at once; for a peer that dies, and for the end of a test."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()

    def rss_kib(self):
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
