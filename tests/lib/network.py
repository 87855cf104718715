"""A network of real machines, as far as their kernels' stacks go: every daemon in a network namespace of its own, joined by
cables (cable.c) that lose, delay, double and cut what they carry.

    district = self.lay_out(towns=("310114106",), sites=2)
    net = network.Network(self, district)    # before it is started
    district.start()
    cable = net.cable(terminal)              # the one up to its town
    cable.down("cut")                        # one way: the terminal is heard, and hears nothing
    cable.both("loss=200 delay=300 jitter=100")
    cable.mend()

Pages and /metrics of every daemon are reached at its http_address as always. Namespaces have no names and are gone when
the last process in them is: nothing is left behind, however a test ends.
"""
import contextlib
import ctypes
import os
import pathlib
import subprocess
import sys
import threading

import lm

CLONE_NEWNET = 0x40000000
LOOPBACK = "0100007F"  # 127.0.0.1, as /proc/net/tcp writes it
TUN = pathlib.Path("/dev/net/tun")
RETRIES_OF_THE_DEAD = 1  # of FIN, by the kernel of a machine that lost its power: as few as it can be told

_libc = ctypes.CDLL(None, use_errno=True)


def _must(result, what):
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _in_a_thread(call):
    """Namespaces belong to threads: what is made in a passing one changes nothing here."""
    result = []

    def run():
        try:
            result.append(call())
        except OSError as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


def _namespace_make():
    def make():
        _must(_libc.unshare(CLONE_NEWNET), "a network namespace")
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    return _in_a_thread(make)


def allow():
    """Starts the program anew as root of a user namespace if it is not root: there it may do what it likes with networks of
    its own."""
    if os.geteuid() == 0 or "LM_UNSHARED" in os.environ:
        return
    words = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
        os.execvpe(words[0], [*words, sys.executable, *sys.argv], os.environ | {"LM_UNSHARED": "yes"})


def why_not():
    """Why this machine permits no networks of our own; None if it does."""
    advice = "run this as root, on a machine or in a container that has CAP_NET_ADMIN, CAP_SYS_ADMIN and /dev/net/tun"
    if not os.access(TUN, os.R_OK | os.W_OK):
        return f"{TUN} cannot be used: {advice}"
    try:
        os.close(_namespace_make())
    except OSError as error:
        return f"{error}: {advice}"
    return None


class Host:
    """A machine with a network of its own."""

    def __init__(self, case, name):
        self.name = name
        self.fd = _namespace_make()
        case.addCleanup(os.close, self.fd)
        self.ip("link", "set", "lo", "up")
        self.set("ipv6/conf/all/disable_ipv6", 1)
        self.set("ipv4/tcp_orphan_retries", RETRIES_OF_THE_DEAD)

    @contextlib.contextmanager
    def inside(self):
        """This thread, and what it starts, is on that machine."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _must(_libc.setns(self.fd, CLONE_NEWNET), f"the network of {self.name}")
            yield
        finally:
            _must(_libc.setns(home, CLONE_NEWNET), "the way back from a network")
            os.close(home)

    def run(self, *words, stdin=""):
        with self.inside():
            done = subprocess.run(list(map(str, words)), input=stdin, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise lm.Failed(f"{self.name}: {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    def ip(self, *words):
        return self.run("ip", *words)

    def set(self, name, value):
        with self.inside():
            pathlib.Path("/proc/sys/net", name).write_text(str(value))

    def connections(self, *states):
        """Connections over TCP but those to itself, by the kernel's numbers of states: 1 is established, 4 and 5 wait for
        the end that they said to be heard."""
        with self.inside():
            rows = [line.split() for line in pathlib.Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]]
        return sum(int(row[3], 16) in states and not row[1].startswith(LOOPBACK) for row in rows)


class Cable:
    """Up from one host to another: 10.64.N.2 there, 10.64.N.1 here."""

    def __init__(self, case, lower, upper, number, seed=1):
        self.lower, self.upper, self.device = lower, upper, f"c{number}"
        self.upper_address, self.lower_address = f"10.64.{number}.1", f"10.64.{number}.2"
        self._process = subprocess.Popen(
            [lm.BUILD / "tests/lib/cable", str(lower.fd), self.device, str(upper.fd), self.device, str(seed + number)],
            pass_fds=[lower.fd, upper.fd], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0)
        case.addCleanup(self.remove)
        if self._process.stdout.readline() != "ready\n":
            raise lm.Failed(f"no cable from {lower.name} to {upper.name}")
        for host, address in ((lower, self.lower_address), (upper, self.upper_address)):
            host.ip("link", "set", self.device, "up")
            host.ip("address", "add", f"{address}/29", "dev", self.device)

    def _order(self, text):
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        words = self._process.stdout.readline().split()
        return {"carried": int(words[1]), "lost": int(words[3])}

    def up(self, faults=""):
        """The faults of what goes up, as cable.c names them; what was carried so far."""
        return self._order(f"> {faults}")

    def down(self, faults=""):
        return self._order(f"< {faults}")

    def both(self, faults):
        self.up(faults)
        self.down(faults)

    def mend(self):
        self.both("")

    def remove(self):
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait()
        self._process.stdout.close()


class Network:
    """Puts every daemon of a district that is not started yet on a host of its own, with a cable to the tier above."""

    def __init__(self, case, district):
        self.case, self.district = case, district
        self.hosts = {node: Host(case, node.name) for node in district.nodes}
        self._cables = {}
        self._count = 0
        for node in district.nodes:
            node.inside = self.hosts[node].inside
            port = int(node.http_address.rsplit(":", 1)[1])
            lm.Wire(case, f"tcp://{node.http_address}", port, node.inside)
            if node.link_address:
                node.settings["link_address"] = f"tcp://*:{self.link_port(node)}"
        for node in district.nodes[1:]:
            self.lay(node, self.hosts[node], self.hosts[self.above(node)])

    @staticmethod
    def link_port(node):
        return node.link_address.rsplit(":", 1)[1]

    def above(self, node):
        return self.district.towns[node.place[:9]] if node.tier == lm.TERMINAL else self.district.hub

    def lay(self, node, lower, upper):
        """A cable, over which the node finds the tier above."""
        cable = self.new_cable(lower, upper)
        self._cables[node] = cable
        node.settings["upstream"] = f"tcp://{cable.upper_address}:{self.link_port(self.above(node))}"
        return cable

    def new_cable(self, lower, upper):
        self._count += 1
        return Cable(self.case, lower, upper, self._count)

    def cable(self, node):
        """From it to the tier above."""
        return self._cables[node]

    def cables_of(self, node):
        host = self.hosts[node]
        return [cable for cable in self._cables.values() if host in (cable.lower, cable.upper)]

    def power_off(self, node):
        """Nobody hears a word of it, and when it comes back it knows nothing of its connections."""
        for cable in self.cables_of(node):
            cable.both("cut")
        node.kill()
        host = self.hosts[node]
        lm.wait_until(lambda: host.connections(1, 4, 5) == 0, 60, f"the kernel of {node} has forgotten its connections")

    def power_on(self, node):
        for cable in self.cables_of(node):
            cable.mend()
        node.start()
