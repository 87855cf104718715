"""A district on this machine: folders, keys, configurations, and the daemons that run on them.

The demo and the tests start daemons in this one way:

    district = District("/tmp/here")
    district.add_town("310114106")
    district.add_terminal("310114106001-T1")
    district.start()
    ...
    district.stop()

    /tmp/here/hub/                        daemon.conf, log, device.keys, device.json, ctl.sock, store …
    /tmp/here/town-310114106/
    /tmp/here/terminal-310114106001-T1/

Starting again on the same folder goes on where it stopped: what exists is left as it is. Everything runs on the
caller's thread; waiting is polling.
"""
import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

from client import Client, Desk, Kiosk, Refused

TOP = pathlib.Path(__file__).resolve().parents[2]
HUB_PLACE = "310114"
HUB, TOWN, TERMINAL = "TIER_DISTRICT", "TIER_TOWN", "TIER_TERMINAL"
STOP_S = 30  # for a daemon to end by itself
SOCKET_PATH_BYTES_MOST = 107  # sockaddr_un
PORTS = range(10000, 32768)  # below those that the kernel gives to outgoing connections
PR_SET_PDEATHSIG = 1
# Logins: two who decide at each place, because what one proposes to erase another confirms.
ROLES = {"clerk1": "clerk", "clerk2": "clerk", "supervisor1": "supervisor", "operator1": "operator", "operator2": "operator", "editor1": "editor",
         "publisher1": "publisher"}

_libc = ctypes.CDLL(None, use_errno=True)
_ports_held = {}  # number: what holds it


class Failed(Exception):
    """What went wrong, for the person who started it."""


def wait_until(predicate, timeout=60, what="", pause=0.02):
    """Waits until predicate() is true and returns what it returned. A daemon that does not answer (yet) counts as false."""
    end = time.monotonic() + timeout
    trouble = None
    while True:
        try:
            result, trouble = predicate(), None
        except (OSError, http.client.HTTPException, Refused) as error:
            result, trouble = None, error
        if result:
            return result
        if time.monotonic() > end:
            raise Failed(f"after {timeout} s still not: {what or predicate}" + (f" ({trouble})" if trouble else ""))
        time.sleep(pause)


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def hold_port(port):
    """False if another process holds it. Nobody speaks UDP here: that a port is bound there tells others of our kind that its
    TCP port is meant for a daemon of ours, which is not started yet, or just down; until this process ends."""
    holder = socket.socket(type=socket.SOCK_DGRAM)
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        return False
    _ports_held[port] = holder
    return True


def free_port():
    """A port that nobody has, and that is given once. Not one that the kernel chooses: while a daemon is down, another's
    attempt to reach it could be given that very number and connect to itself."""
    for _ in range(1000):
        port = random.choice(PORTS)
        if port_is_free(port) and hold_port(port):
            return port
    raise Failed("there is no free port from 10000 to 32767")


def _is_main_thread():
    return threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def _signals_held():
    """A signal whose handler raises must not fall between a fork and the line that keeps the new process."""
    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} if _is_main_thread() else set()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _preparation(mask):
    """What a child does just before its program: it gets SIGTERM when this process is gone, however it went."""
    parent = os.getpid()

    def prepare():
        # The kernel means the thread that forked, not the process: a child of a passing thread would end with that thread.
        if is_main:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it went before
                os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    is_main = _is_main_thread()
    return prepare


class Node:
    """One daemon and its folder."""

    def __init__(self, district, tier, place, http_port, link_port=None):
        name, program = {HUB: ("hub", "lm-hub"), TOWN: (f"town-{place}", "lm-subcenter"),
                         TERMINAL: (f"terminal-{place}", "lm-terminal")}[tier]
        self.district, self.tier, self.place, self.name = district, tier, place, name
        self.program = district.build / program
        self.folder = district.folder / name
        self.http_address = f"127.0.0.1:{http_port}"
        self.link_address = f"tcp://127.0.0.1:{link_port}" if link_port else None
        self.environment = {}  # besides our own
        self.inside = contextlib.nullcontext  # what it is started in: tests put it into a network of its own
        self.settings = {}  # of the configuration; a change holds from the next start on
        self.joins = False  # with a token at its first start, instead of being admitted beforehand
        self.process = None
        self.was_asked_to_end = False
        self.control = Client(self.folder / "ctl.sock")

    def __repr__(self):
        return self.name

    @property
    def ports(self):
        addresses = [self.http_address, self.link_address, self.join_address]
        return [int(address.rsplit(":", 1)[1]) for address in addresses if address]

    @property
    def log(self):
        return self.folder / "log"

    def device(self):
        """Its public keys."""
        return json.loads((self.folder / "device.json").read_text())

    def kiosk(self, timeout=60):
        """Somebody at this terminal, as soon as it can serve."""
        kiosk = Kiosk(self.http_address)
        wait_until(kiosk.can_serve, timeout, f"{self} can take requests")
        return kiosk

    def desk(self, name=None):
        """Somebody of the staff, logged in."""
        name = name or self.district.account_name(self)
        return Desk(self.http_address).login(name, self.district.passwords[name])

    # ---- life ----

    def configuration(self):
        district = self.district
        keys = {"place": self.place, "data": self.folder, "link_address": self.link_address,
                "http_address": self.http_address, "demo": "yes" if district.is_demo else "no",
                "practice": "yes" if district.is_practice else "no",
                "places": TOP / "deploy/places.json", "map_size": district.map_sizes[self.tier]}
        pages = district.pages and district.pages / {HUB: "hub", TOWN: "town", TERMINAL: "terminal"}[self.tier]
        if pages and pages.is_dir():
            keys["pages"] = pages
        if self.tier != TERMINAL:
            keys["letters"] = TOP / "deploy/letters.json"
            keys["reports"] = TOP / "deploy/reports.json" if self.tier == HUB else None
            keys["second_factor"] = "optional"  # made-up people have no authenticators
        if self.tier == TERMINAL:
            keys["speech"] = TOP / "deploy/speech"
            keys["receipts_ahead"] = 2  # Argon2 takes its time, and hundreds may start at once
            keys["pinyin"] = district.build / "lm-pinyin"
        keys.update(self.settings)
        return "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)

    def start(self):
        """Starts the daemon; wait_ready says when it answers."""
        if self.is_running():
            raise Failed(f"{self} runs already")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / "daemon.conf"
        path.write_text(self.configuration())
        self.was_asked_to_end = False
        with open(self.log, "ab") as log, self.inside(), _signals_held() as mask:
            self.process = subprocess.Popen([self.program, "--config", path], cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, process_group=0,
                                            env=os.environ | self.environment, preexec_fn=_preparation(mask))
        return self

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def has_ended(self):
        """It ended without being asked to."""
        return self.process is not None and not self.was_asked_to_end and self.process.poll() is not None

    def why_ended(self):
        code = self.process.returncode
        how = f"signal {-code}" if code < 0 else f"code {code}"
        return f"{self} ended with {how}:\n{self.log_tail()}"

    def log_tail(self, lines=6):
        try:
            text = self.log.read_text(errors="replace")
        except OSError as error:
            return str(error)
        return "\n".join(text.splitlines()[-lines:])

    def send(self, number):
        """A signal to the daemon, if it runs."""
        if self.is_running():
            self.was_asked_to_end |= number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
            self.process.send_signal(number)

    def kill(self):
        """As a power cut would end it."""
        self.send(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def stop(self, timeout=STOP_S):
        """Ends it cleanly and returns its exit code. One that does not end is killed, and that is a failure."""
        self.send(signal.SIGTERM)
        return self.wait_ended(timeout)

    def wait_ended(self, timeout=STOP_S):
        if self.process is None:
            return None
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"{self} did not end within {timeout} s and was killed:\n{self.log_tail()}") from None

    def restart(self):
        self.stop()
        return self.start().wait_ready()

    # ---- joining ----

    @property
    def join_address(self):
        return self.settings.get("join_address")

    def open_join(self, port=None):
        """Devices of the tier below may join here; holds from the next start on."""
        self.settings["join_address"] = f"tcp://127.0.0.1:{port or free_port()}"
        return self

    def is_joining(self):
        """It waits to be let into the district."""
        return "waits for a token" in self.status()["links"].get("upstream", {}).get("text", "")

    # ---- how it is ----

    def status(self):
        """NodeStatus, as lmctl status --json prints it."""
        return self.control.get("/ctl/v1/status")

    def is_ready(self):
        if self.has_ended():
            raise Failed(self.why_ended())
        try:
            return bool(self.status())
        except (OSError, http.client.HTTPException):
            return False

    def is_connected(self):
        """The tier above has it."""
        return self.status()["links"].get("upstream", {}).get("is_up", False)

    def wait_ready(self, timeout=60):
        wait_until(self.is_ready, timeout, f"{self} answers")
        return self

    def wait_connected(self, timeout=60):
        wait_until(self.is_connected, timeout, f"{self} is connected")
        return self


class District:
    """`passwords` by account name: clerks and a supervisor at every town, the others at the hub; made up where they are missing."""

    def __init__(self, folder, build=None, pages=None, is_demo=True, passwords=None, http_port=None, link_port=None):
        self.folder = pathlib.Path(folder).resolve()
        self.build = pathlib.Path(build or os.environ.get("LM_BUILD") or TOP / "build").resolve()
        self.pages = pages
        self.is_demo = is_demo
        self.is_practice = False
        self.map_sizes = {HUB: "256M", TOWN: "128M", TERMINAL: "16M"}
        self.passwords = {name: f"trial-{role}-{name[-1]}" for name, role in ROLES.items()} | (passwords or {})
        self.towns, self.terminals = {}, {}  # by place
        self.services = sorted((TOP / "deploy/catalogue").glob("*.json"))  # files of what is published at the start
        self.calendars = sorted((TOP / "deploy/calendar").glob("*.json"))
        self.wordings = []  # texts of answers; the demo's are in deploy/wordings
        longest = self.folder / "terminal-310114106001-T1" / "ctl.sock"
        if len(os.fsencode(longest)) > SOCKET_PATH_BYTES_MOST:
            raise Failed(f"the folder's path is too long for a Unix socket below it; choose a shorter one: {self.folder}")
        self.hub = Node(self, HUB, HUB_PLACE, http_port or free_port(), link_port or free_port())

    @property
    def nodes(self):
        """All, from the top down."""
        return [self.hub, *self.towns.values(), *self.terminals.values()]

    def add_town(self, place, http_port=None, link_port=None):
        self.towns[place] = Node(self, TOWN, place, http_port or free_port(), link_port or free_port())
        return self.towns[place]

    def add_terminal(self, place, http_port=None):
        """Its town must have been added before: 310114106001-T1 belongs to 310114106."""
        if place[:9] not in self.towns:
            raise Failed(f"terminal {place} needs its town {place[:9]}")
        self.terminals[place] = Node(self, TERMINAL, place, http_port or free_port())
        return self.terminals[place]

    def account_name(self, node):
        return "operator1" if node.tier == HUB else "clerk1"

    def lmctl(self, *words, node=None, stdin=""):
        """Runs lmctl, on a node's folder if one is given; what it printed. Raises Failed with what it said."""
        data = ["--data", node.folder] if node else []
        done = subprocess.run([self.build / "lmctl", *map(str, words), *map(str, data)], input=stdin,
                              capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise Failed(f"lmctl {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    # ---- the steps of a start ----

    def make_keys(self, width=4):
        """Keys of every device that has none yet."""
        missing = [node for node in self.nodes if not (node.folder / "device.json").exists()]
        for at in range(0, len(missing), width):
            running = [(node, subprocess.Popen([self.build / "lmctl", "keys", node.folder], stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
                       for node in missing[at:at + width]]
            for node, process in running:
                _, said = process.communicate(timeout=120)
                if process.returncode:
                    raise Failed(f"no keys for {node}: {said.strip()}")

    def set_upstreams(self):
        """Tells towns and terminals whom to trust above them. The hub must run."""
        status = self.hub.status()
        for town in self.towns.values():
            town.settings = {"upstream": self.hub.link_address, "upstream_key": status["curve_key"],
                             "authority": status["authority"]} | town.settings
        for terminal in self.terminals.values():
            town = self.towns[terminal.place[:9]]
            terminal.settings = {"upstream": town.link_address, "upstream_key": town.device()["curve_key"],
                                 "authority": status["authority"]} | terminal.settings
        for node in self.nodes[1:]:
            above = self.towns[node.place[:9]] if node.tier == TERMINAL else self.hub
            if node.joins and above.join_address:
                node.settings.setdefault("upstream_join", above.join_address)

    def admit(self, node, by="demo"):
        file = node.device()
        return self.hub.control.post("/ctl/v1/admit", {"file": file, "fingerprint": file["fingerprint"],
                                                       "role": node.tier, "place": node.place, "by": by})

    def admit_missing(self):
        """Admits who has never been admitted. A device that was revoked stays so."""
        known = {(device["record"]["place"], device["record"]["curve_key"])
                 for device in self.hub.control.get("/ctl/v1/devices")["devices"]}
        for node in self.nodes[1:]:
            if not node.joins and (node.place, node.device()["curve_key"]) not in known:
                self.admit(node)

    def issue(self, node, by="demo", **command):
        """A token for this device, which must have its keys. TokenView."""
        return self.hub.control.post("/ctl/v1/tokens", {"fingerprint": node.device()["fingerprint"], "role": node.tier,
                                                        "place": node.place, "by": by} | command)

    def join(self, node):
        """What installer and operator do together: the device shows its fingerprint, the district issues a token for it, the
        token is typed in at the device."""
        token = self.issue(node)
        node.control.post("/ctl/v1/join", {"secret": token["secret"]})
        return token

    def knows_terminals(self, town):
        """The town has heard of the admission of its terminals: before that it sends them away, and they wait to try again."""
        known = {device["record"]["place"] for device in town.control.get("/ctl/v1/devices")["devices"]}
        return all(terminal.joins or place in known for place, terminal in self.terminals.items() if place[:9] == town.place)

    def publish(self, files=None, by="editor1", second="publisher1"):
        """Publishes services from JSON files, which one has written and another has looked at; what has not changed keeps
        its revision."""
        for path in files or self.services:
            self.hub.control.post("/ctl/v1/catalogue", {"services": [json.loads(path.read_text())], "by": by, "second": second})

    def publish_calendars(self, by="editor1", second="publisher1"):
        """Publishes the years of working days."""
        years = [json.loads(path.read_text()) for path in self.calendars]
        self.hub.control.post("/ctl/v1/catalogue", {"calendars": years, "by": by, "second": second})

    def publish_wordings(self, by="editor1", second="publisher1"):
        """Publishes texts that answers begin with."""
        texts = [json.loads(path.read_text()) for path in self.wordings]
        self.hub.control.post("/ctl/v1/catalogue", {"wordings": texts, "by": by, "second": second})

    def account_names(self, node):
        return [name for name, role in ROLES.items() if (role in ("clerk", "supervisor")) == (node.tier == TOWN)]

    def open_accounts(self, node):
        """The node's logins. accounts.json beside its data says that they were made."""
        accounts = {name: self.passwords[name] for name in self.account_names(node)}
        path = node.folder / "accounts.json"
        if path.exists() and json.loads(path.read_text()) == accounts:
            return
        for name, password in accounts.items():
            node.control.post("/ctl/v1/users", {"name": name, "password": password, "role": ROLES[name], "by": "demo"})
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(accounts, file)

    def prepare(self):
        """Starts the hub and makes everything ready for the others to be started."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.make_keys()
        self.hub.start().wait_ready()
        self.set_upstreams()
        self.admit_missing()
        self.publish()
        if self.calendars:
            self.publish_calendars()
        if self.wordings:
            self.publish_wordings()
        self.open_accounts(self.hub)

    def start_nodes(self, nodes, width=4, timeout=120, on_ready=None):
        """Starts daemons, at most `width` at a time on their way; on_ready(how_many) as they begin to answer."""
        waiting, starting, count = list(nodes), {}, 0
        while waiting or starting:
            while waiting and len(starting) < width:
                node = waiting.pop(0).start()
                starting[node] = time.monotonic() + timeout
            for node in [node for node in starting if node.is_ready()]:
                del starting[node]
                count += 1
                if on_ready:
                    on_ready(count)
            for node, end in starting.items():
                if time.monotonic() > end:
                    raise Failed(f"{node} does not answer after {timeout} s:\n{node.log_tail()}")
            time.sleep(0.01)

    def start_towns(self, width=4, on_ready=None):
        self.start_nodes(self.towns.values(), width, on_ready=on_ready)
        for town in self.towns.values():
            self.open_accounts(town)
        for town in self.towns.values():
            wait_until(lambda: self.knows_terminals(town), what=f"{town} knows its terminals")

    def start(self):
        """Everything, from the top down; returns when every daemon answers and every link is up."""
        self.prepare()
        self.start_towns()
        self.start_nodes(self.terminals.values())
        self.join_missing()
        for node in self.nodes[1:]:
            node.wait_connected()
        return self

    def join_missing(self):
        """Those that join and have not yet; who they were."""
        joining = [node for node in self.nodes[1:] if node.joins and node.is_joining()]
        for node in joining:
            self.join(node)
        return joining

    # ---- the end ----

    def stop(self):
        """Ends every daemon, from the bottom up. Raises Failed about those that did not end cleanly, when all are gone."""
        troubles = []
        for group in (self.terminals.values(), self.towns.values(), [self.hub]):
            group = [node for node in group if node.is_running()]
            for node in group:
                node.send(signal.SIGTERM)
            end = time.monotonic() + STOP_S
            for node in group:
                try:
                    code = node.wait_ended(max(0.1, end - time.monotonic()))
                except Failed as failed:
                    troubles.append(str(failed))
                else:
                    if code:
                        troubles.append(node.why_ended())
        if troubles:
            raise Failed("\n".join(troubles))

    def kill(self):
        """Ends every daemon at once, whatever it is doing."""
        for node in self.nodes:
            node.send(signal.SIGKILL)
        for node in self.nodes:
            node.kill()
