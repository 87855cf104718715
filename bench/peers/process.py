"""What the peers have in common: three private servers on loopback, in a folder of their own, and a load generator.

Everything is a child of this process or a child's child, and ended by its id. No server of the machine is touched.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from district import Failed, free_port

TIERS = (1, 2, 3)
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def descendants(pid):
    """The process and those below it."""
    found = [pid]
    for at in found:
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{at}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


class Peer:
    """One system in three tiers. Those that derive from it say how its servers are started."""
    title = program = keeps = None
    needs = ()  # commands, looked for before anything starts

    def __init__(self, folder, build):
        self.folder, self.build = pathlib.Path(folder), pathlib.Path(build)
        self.servers = {}  # by tier
        self.helpers = []
        self.generator = None
        self.ports = {tier: free_port() for tier in TIERS}

    @classmethod
    def missing(cls, build):
        needed = [*cls.needs, pathlib.Path(build) / cls.program]
        return [str(path) for path in needed if not shutil.which(path)]

    # ---- what each peer says ----

    def start_servers(self):
        raise NotImplementedError

    def arguments(self):
        """Of the load generator."""
        raise NotImplementedError

    # ---- processes ----

    def spawn(self, words, log, environment=None, user=None):
        def prepare():
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        with open(self.folder / log, "ab") as out:
            return subprocess.Popen([str(word) for word in words], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                                    stdout=out, stderr=out, process_group=0, preexec_fn=prepare, user=user,
                                    group=user, extra_groups=[] if user else None)

    def wait_port(self, tier, seconds=60):
        end = time.monotonic() + seconds
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.ports[tier])) == 0:
                    return
            if self.servers[tier].poll() is not None or time.monotonic() > end:
                raise Failed(f"{self.title}: server {tier} does not answer:\n{self.log_tail(f'{tier}.log')}")
            time.sleep(0.05)

    def log_tail(self, name, lines=12):
        path = self.folder / name
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _start_generator(self):
        with open(self.folder / "generator.log", "ab") as log:
            self.generator = subprocess.Popen([self.build / self.program, *map(str, self.arguments())], text=True,
                                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def start(self, seconds=90):
        """Servers up, and one request has gone the whole way."""
        self.folder.mkdir(mode=0o755)
        self.start_servers()
        end = time.monotonic() + seconds
        while True:
            self._start_generator()
            try:
                self.order("probe")
                return self
            except Failed as failed:
                self._stop_generator()
                if time.monotonic() > end:
                    raise Failed(f"{failed}\n{self.log_tail('generator.log')}") from None
            time.sleep(0.3)

    def order(self, text):
        line = ""
        with contextlib.suppress(BrokenPipeError):
            self.generator.stdin.write(text + "\n")
            self.generator.stdin.flush()
            line = self.generator.stdout.readline()
        answer = json.loads(line) if line else {"error": f"the load generator ended with {self.generator.wait()}"}
        if "error" in answer:
            raise Failed(f"{self.title}, {text}: {answer['error']}")
        answer["per_s"] = answer["requests"] / answer["seconds"]
        return answer

    def pids(self, tier):
        return descendants(self.servers[tier].pid)

    def end_server(self, process):
        """Its data is thrown away: it need not be gentle. Some of what it started left its process group."""
        for pid in reversed(descendants(process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _stop_generator(self):
        if self.generator:
            self.generator.kill()
            self.generator.communicate()
        self.generator = None

    def stop(self):
        self._stop_generator()
        for process in [*self.servers.values(), *self.helpers]:
            if process.poll() is None:
                self.end_server(process)
            process.wait()
        self.servers, self.helpers = {}, []
