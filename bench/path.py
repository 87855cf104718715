"""The way of a request through the three tiers, measured: a terminal under load in its own process, the real town and hub
as daemons of their own, CURVE links between them, folders on a real disk.

What is compared is measured in the same round, one after the other, on the same disk: first the product, recorded as it
writes, then the same writes on bare LMDB.
"""
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "deploy/lib"))
import samples  # noqa: E402
from client import Client, Refused  # noqa: E402
from district import District, Failed, wait_until  # noqa: E402

TOWN, SITE, IDLE_SITE = "310114106", "310114106001-T1", "310114106002-T1"
SERVICE = "home-adaptation"  # the town decides, as for most services: the district cannot read these requests
PAYLOAD_BYTES = 512
MAP_BYTES = 1 << 30  # roomy: at 60 % a terminal trims, at 80 % it takes no more; neither is measured here
START_S = 120  # a busy disk takes long to fill three maps
COUNT_MOST, WINDOW_MOST = 1000000, 50000  # of one order, and of one measurement of growth
TICKS = os.sysconf("SC_CLK_TCK")
TIERS = ("terminal", "town", "hub")
TARGETS = ["lm-hub", "lm-subcenter", "lm-terminal", "lmctl", "bench_terminal", "bench_parts", "bench_record"]


# ---- the form ----

def _varint_bytes(number):
    return max(1, (number.bit_length() + 6) // 7)


def _field_bytes(size):
    return 1 + _varint_bytes(size) + size


def _consent_bytes(consent):
    sharing = consent.get("sharing", "")
    return 2 + (_field_bytes(len(sharing)) if sharing else 0) + 2 + 1 + _varint_bytes(int(consent["time_ms"]))


def payload_bytes(values, consents, language):
    """Of the packed RequestPayload: code, receipt key, lookup, values, language, consents."""
    inner = sum(_field_bytes(_consent_bytes(consent)) for consent in consents)
    inner += sum(_field_bytes(_field_bytes(len(v["field"])) + sum(_field_bytes(len(t.encode())) for t in v["values"]))
                for v in values)
    return _field_bytes(12) + _field_bytes(32) + _field_bytes(16) + inner + _field_bytes(len(language))


def form(service):
    """Answers of nobody in particular to a service of the catalogue, its long text as long as makes the payload full."""
    values, consents = samples.answers(service), samples.consents(service)
    long_text = next(f["id"] for f in service["fields"] if f["type"] == "FIELD_TYPE_LONG_TEXT")
    value = next(v for v in values if v["field"] == long_text)
    value["values"][0] = ""
    text = "示例内容，并非真人。" * 100
    while (missing := PAYLOAD_BYTES - payload_bytes(values, consents, "zh-CN")) > 4:
        value["values"][0] += text[len(value["values"][0])]
    if missing < 0:
        raise Failed(f"the answers to {service['id']} do not fit into {PAYLOAD_BYTES} bytes")
    value["values"][0] += "." * missing
    return {"service": service["id"], "revision": service["revision"], "values": values, "consents": consents, "language": "zh-CN"}


# ---- processes ----

def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def anonymous_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise Failed(f"process {pid} has no RssAnon")


@contextlib.contextmanager
def recorder(build, path):
    """Daemons started within write down what they write to LMDB, while PATH.on exists."""
    os.environ |= {"LD_PRELOAD": str(build / "libbench_record.so"), "LM_BENCH_RECORD": str(path)}
    try:
        yield
    finally:
        del os.environ["LD_PRELOAD"], os.environ["LM_BENCH_RECORD"]


class Highest:
    """The most anonymous memory that each process has had while this ran."""

    def __init__(self, pids):
        self._pids, self.mb = pids, {name: 0.0 for name in pids}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._is_over.wait(0.02):
            for name, pid in self._pids.items():
                self.mb[name] = max(self.mb[name], anonymous_mb(pid))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()


class Path:
    """One terminal, its town, the hub."""

    def __init__(self, folder, build, preload=True, map_bytes=MAP_BYTES):
        self.folder, self.build = pathlib.Path(folder), pathlib.Path(build).resolve()
        self.preload = preload
        self.district = District(self.folder / "d", build=self.build)
        self.district.map_sizes = {tier: str(map_bytes) for tier in self.district.map_sizes}
        self.town = self.district.add_town(TOWN)
        self.terminal = self.district.add_terminal(SITE)
        self.idle = self.district.add_terminal(IDLE_SITE)
        self.idle.settings["map_size"] = "16M"
        self.process = None

    def _recorded(self, tier):
        return recorder(self.build, self.folder / tier) if self.preload else contextlib.nullcontext()

    def start(self):
        with self._recorded("hub"):
            self.district.prepare()
        self.start_town()
        self.town.wait_connected()
        config = self.terminal.folder / "daemon.conf"
        config.write_text(self.terminal.configuration())
        services = Client(self.district.hub.http_address).get("/api/v1/catalogue")["services"]
        service = next(s for s in services if s["id"] == SERVICE)
        (self.folder / "form.json").write_text(json.dumps(form(service)))
        with self._recorded("terminal"), open(self.terminal.log, "ab") as log:
            self.process = subprocess.Popen([self.build / "bench_terminal", config, self.folder / "form.json", *self.people()], text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.terminal.wait_connected()
        wait_until(self._takes_requests, START_S, "the terminal takes requests", 0.2)
        return self

    def people(self):
        """The file of who hands in, if it is not nobody in particular."""
        return []

    def start_town(self):
        with self._recorded("town"):
            self.town.start().wait_ready()

    def idle_terminal_mb(self):
        """A terminal daemon with everything it needs, that nobody touches."""
        self.idle.start().wait_ready()
        self.idle.wait_connected()
        time.sleep(3)
        mb = anonymous_mb(self.idle.process.pid)
        self.idle.stop()
        return mb

    def _answer(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "it ended:\n" + self.terminal.log_tail()}

    def _takes_requests(self):
        answer = self._answer("count 1 1 1")
        if "error" in answer:
            raise Refused(503, "terminal", answer["error"])
        return True

    def order(self, text):
        answer = self._answer(text)
        if "error" in answer:
            raise Failed(f"terminal, {text}: {answer['error']}")
        return answer

    @property
    def pids(self):
        return {"terminal": self.process.pid, "town": self.town.process.pid, "hub": self.district.hub.process.pid}

    def load(self, order):
        """An order, with the CPU time that each tier took for a request and the groups it wrote them in."""
        before = {name: cpu_s(pid) for name, pid in self.pids.items()}
        answer = self.order(order)
        for name, pid in self.pids.items():
            answer[f"{name}_us"] = (cpu_s(pid) - before[name]) / answer["requests"] * 1e6
        answer["per_s"] = answer["requests"] / answer["seconds"]
        return answer

    def record(self, order, name):
        """The same, and what the tiers wrote meanwhile, as NAME-TIER files."""
        switches = [self.folder / f"{tier}.on" for tier in TIERS]
        for switch in switches:
            switch.touch()
        answer = self.order(order)
        for switch in switches:
            switch.unlink()
        self.order("count 1 1 3")  # each closes its file with its next turn
        time.sleep(0.3)
        self.order("count 1 1 3")
        files = []
        for tier in TIERS:
            files.append(self.folder / f"{name}-{tier}")
            os.replace(self.folder / tier, files[-1])
        return answer, files

    def check(self):
        """Everything went the whole way: nothing was put aside."""
        for node in (self.town, self.district.hub):
            status = node.status()
            if int(status["quarantined"]) or int(status["held"]):
                raise Failed(f"{node} put requests aside: {status['quarantined']} quarantined, {status['held']} held")

    def stop(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self.process.communicate("quit\n", timeout=30)
        self.district.stop()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.district.kill()


# ---- one round ----

def parts(build, *words):
    done = subprocess.run([build / "bench_parts", *map(str, words)], capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise Failed(f"bench_parts {words[0]}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def limit(path, answer, files):
    """Requests a second when the same writes are committed by three bare environments at once."""
    result = parts(path.build, "limit", path.folder, MAP_BYTES, *files)
    result["per_s"] = answer["requests"] / result["seconds"]
    result["requests"] = answer["requests"]
    for tier in result["tiers"]:
        tier["rows"] = tier["puts"] / answer["requests"]
        tier["bytes_each"] = tier["bytes"] / answer["requests"]
        tier["group"] = answer["requests"] / max(1, tier["commits"])
    return result


def measure_loads(path, scale):
    out = {}
    for shape, record_count, ms in (("8 128", 20000, 3000), ("64 16", 20000, 3000)):
        answer, files = path.record(f"count {shape} {int(record_count * scale)}", shape.replace(" ", "x"))
        with Highest(path.pids) as highest:
            out[shape] = path.load(f"load {shape} {int(ms * scale)}")
        out[shape]["limit"] = limit(path, answer, files)
        out[shape]["highest_mb"] = highest.mb
        for file in files:
            file.unlink()
    out["64 1"] = path.load(f"load 64 1 {int(2000 * scale)}")
    answer, files = path.record(f"count 1 1 {int(500 * scale)}", "1x1")
    out["1 1"] = path.load(f"load 1 1 {int(2000 * scale)}")
    serial = parts(path.build, "serial", path.folder, MAP_BYTES, *files)
    sign = parts(path.build, "sign", 1000)
    ping = parts(path.build, "ping", int(1000 * scale), 1100, 120)
    out["1 1"]["parts"] = {"commits_ms": serial["serial_p50_ms"], "links_ms": ping["p50_ms"], **sign}
    return out


def measure_drain(path, count):
    path.town.stop()
    path.order(f"fill {count}")
    begun = time.monotonic()
    path.start_town()
    answer = path.order("wait")
    if not answer["is_final"]:
        raise Failed("the backlog was not drained")
    return time.monotonic() - begun


def measure_growth(folder, build, marks, map_bytes=MAP_BYTES):
    """Cost of a request when so many are stored already."""
    path = Path(folder, build, preload=False, map_bytes=map_bytes)
    try:
        path.start()
        stored, costs = 0, {}
        for mark in marks:
            window = min(WINDOW_MOST, max(5000, mark // 10))
            while mark > stored:
                stored += path.order(f"count 8 128 {min(COUNT_MOST, mark - stored)}")["requests"]
            costs[mark] = path.load(f"count 8 128 {window}")
            stored += window
        path.check()
        path.stop()
        return costs
    finally:
        path.kill()


def measure_round(folder, build, is_quick, say):
    scale = 0.2 if is_quick else 1
    path = Path(folder, build)
    try:
        path.start()
        say("warm-up")
        out = {"idle_mb": path.idle_terminal_mb()}
        path.order("load 8 128 500")
        say("loads and limits")
        out["loads"] = measure_loads(path, scale)
        path.check()
        say("backlog")
        out["drain_s"] = measure_drain(path, 10000)
        path.check()
        path.stop()
    finally:
        path.kill()
    shutil.rmtree(folder)
    say("growth")
    out["growth"] = measure_growth(folder, build, (1000, 10000) if is_quick else (1000, 10000, 100000))
    return out


def run(build, folder, options, say):
    results, rounds = [], options.rounds
    for number in range(1, rounds + 1):
        place = pathlib.Path(tempfile.mkdtemp(prefix="p", dir=folder))
        try:
            results.append(measure_round(place, build, options.quick, lambda what: say(f"round {number}/{rounds}: {what}")))
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return results


def median(results, *keys):
    """The median over the rounds of what lies behind these keys; the last may be a function of the round."""
    def value(result):
        for key in keys:
            result = key(result) if callable(key) else result[key]
        return result
    return statistics.median(value(result) for result in results)
