"""The demo: a hub, towns and terminals on this machine, with made-up data. deploy/demo builds and then runs this."""
import argparse
import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import resource
import secrets
import shutil
import signal
import sys
import time

import certificates
import month
import residents
from client import Refused
from district import HUB_PLACE, ROLES, TOP, District, Failed, port_is_free, wait_until

FIRST_TOWNS = ["310114106", "310114103", "310114102", "310114118"]  # filled before the others are opened
FIRST_SITES = 4
FIRST_CASES = 120  # of the month before the first start
CASES_MOST = 100000
PORT_BASE = 8600
HUB_JOIN_PORT, TOWN_PORTS, TOWN_JOIN_PORTS, TERMINAL_PORTS = 2, 10, 50, 100  # above the base
FILES_MOST = 4096  # a daemon's sockets and files, with room to spare
MARK_S, ANSWER_S, CONNECT_S = 60, 60, 600  # how long --once waits
MIB = 1 << 20
START = time.monotonic()


class Ended(Exception):
    """Somebody wants it to stop."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number


def on_signal(number, frame):
    del frame
    hold_signals()
    raise Ended(number)


def hold_signals():
    """Once it stops, it stops: a second Ctrl-C must not leave daemons behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def say(text=""):
    print(text, flush=True)


def progress(text):
    say(f"[{time.monotonic() - START:6.1f} s] {text}")


# ---- what runs where ----

def arguments_read():
    parser = argparse.ArgumentParser(
        prog="deploy/demo", description="Builds Last Mile and runs a district with made-up data on this machine.")
    parser.add_argument("--sites", type=int, metavar="N", help=f"terminals (first start: {FIRST_SITES})")
    parser.add_argument("--dir", type=pathlib.Path, metavar="DIR",
                        help="its data, kept from one start to the next (./demo; for practice ./practice)")
    parser.add_argument("--practice", action="store_true",
                        help="for staff to practise: every page is marked, and it has an authority and data of its own")
    parser.add_argument("--port-base", type=int, metavar="P", help=f"first of its ports (first start: {PORT_BASE})")
    parser.add_argument("--once", action="store_true",
                        help="hand in one request, see it granted, stop; exit 0 only if all of it worked")
    parser.add_argument("--join", action="store_true", help="its last terminal is not admitted beforehand: it joins with a token")
    parser.add_argument("--cases", type=int, metavar="N",
                        help=f"made-up requests of the month before the first start ({FIRST_CASES}; with --once 0)")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)  # of these arguments, before the build
    given = parser.parse_args()
    given.dir = given.dir or TOP / ("practice" if given.practice else "demo")
    most = len(site_order())
    if given.sites is not None and not 1 <= given.sites <= most:
        parser.error(f"--sites: from 1 to {most}, as many as there are communities in deploy/places.json")
    if given.cases is None:
        given.cases = 0 if given.once else FIRST_CASES
    if not 0 <= given.cases <= CASES_MOST:
        parser.error(f"--cases: from 0 to {CASES_MOST}")
    if given.port_base is not None and not 1024 <= given.port_base <= 65535 - TERMINAL_PORTS - most:
        parser.error(f"--port-base: from 1024 to {65535 - TERMINAL_PORTS - most}")
    return given


def places_read():
    return json.loads((TOP / "deploy/places.json").read_text())


def town_order():
    codes = [town["code"] for town in places_read()["towns"]]
    return FIRST_TOWNS + [code for code in codes if code not in FIRST_TOWNS]


def site_order():
    """Communities in the order in which they get terminals: two in each of the first two towns, then turn by turn in four
    towns, then in the others. The first N of it never change, so a larger demo contains the smaller one."""
    communities = {town["code"]: [c["code"] for c in town["communities"]] for town in places_read()["towns"]}

    def in_turn(towns):
        rounds = itertools.zip_longest(*(communities[town] for town in towns))
        return [code for one_round in rounds for code in one_round if code]

    first = in_turn(FIRST_TOWNS[:2])[:FIRST_SITES]
    return list(dict.fromkeys(first + in_turn(FIRST_TOWNS) + in_turn(town_order()[4:])))


def names_read():
    places = places_read()
    names = {HUB_PLACE: places["district"]["name"]["zh"]}
    for town in places["towns"]:
        names[town["code"]] = town["name"]["zh"]
        names |= {community["code"]: community["name"]["zh"] for community in town["communities"]}
    return names


# ---- the folder ----

def password_make():
    letters = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are taken for another
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def state_open(given):
    """What holds from one start to the next: district.json in the folder."""
    path = given.dir / "district.json"
    state = {"sites": FIRST_SITES, "port_base": PORT_BASE,
             "passwords": {name: password_make() for name in (*ROLES, certificates.ASSESSOR)}}
    with contextlib.suppress(FileNotFoundError):
        try:
            known = json.loads(path.read_text())
            state |= known | {"passwords": state["passwords"] | known["passwords"]}
        except ValueError as error:
            raise Failed(f"{path} cannot be read: {error}") from None
    state["sites"] = given.sites or state["sites"]
    state["port_base"] = given.port_base or state["port_base"]
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file, indent="\t")
        file.write("\n")
    draft.replace(path)
    return state


def folder_lock(folder):
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = open(folder / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Failed(f"a demo runs in {folder} already") from None
    return lock


def district_lay_out(given, state):
    base, sites = state["port_base"], site_order()[:state["sites"]]
    district = District(given.dir, pages=pathlib.Path(os.environ.get("LM_PAGES") or TOP / "build/ui"), passwords=state["passwords"], http_port=base, link_port=base + 1)
    district.wordings = sorted((TOP / "deploy/wordings").glob("*.json"))
    district.is_practice = given.practice
    for index, place in enumerate(town_order()):
        if any(site.startswith(place) for site in sites):
            district.add_town(place, base + TOWN_PORTS + 2 * index, base + TOWN_PORTS + 2 * index + 1)
    for index, site in enumerate(sites):
        district.add_terminal(f"{site}-T1", base + TERMINAL_PORTS + index)
    if given.join:
        district.hub.open_join(base + HUB_JOIN_PORT)
        for index, town in enumerate(district.towns.values()):
            town.open_join(base + TOWN_JOIN_PORTS + index)
        list(district.terminals.values())[-1].joins = True
    return district


def ports_check(district):
    for node in district.nodes:
        for port in node.ports:
            if not port_is_free(port):
                raise Failed(f"port {port}, which {node} needs, is in use by another program: end that one, or choose other "
                             "ports with --port-base")


def disk_check(district):
    """Stores are made at their full size at the first start; better to say so now than half-way."""
    missing = sum(int(district.map_sizes[node.tier].rstrip("M")) * MIB
                  for node in district.nodes if not (node.folder / "store").exists())
    free = shutil.disk_usage(district.folder).free
    if missing > free - 256 * MIB:
        raise Failed(f"the stores need {missing // MIB} MiB in {district.folder}, only {free // MIB} MiB are free: take fewer "
                     "--sites or another --dir")


def files_allow():
    """Daemons inherit it: the hub and a town hold a socket for everybody below them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MOST if hard == resource.RLIM_INFINITY else min(FILES_MOST, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


# ---- start ----

class Teller:
    """Says how many, at most once in two seconds, and always the last."""

    def __init__(self, what, total):
        self.what, self.total, self.next = what, total, 0.0

    def __call__(self, count):
        if count == self.total or time.monotonic() >= self.next:
            self.next = time.monotonic() + 2
            progress(f"{self.what}: {count} of {self.total}")


def all_connected(district):
    """True when every link is up; asks only those that were not connected before."""
    missing = set(district.nodes[1:])
    tell = Teller("links up", len(missing))
    tell.next = time.monotonic() + 2

    def look():
        for node in list(missing):
            if node.has_ended():
                raise Failed(node.why_ended())
            if node.is_connected():
                missing.discard(node)
        tell(tell.total - len(missing))
        return not missing

    return look


def start(district):
    width = 2 * (os.cpu_count() or 2)
    progress(f"keys, the hub, and the admission of {len(district.towns)} towns and {len(district.terminals)} terminals")
    district.prepare()
    district.start_towns(width, on_ready=Teller("towns started", len(district.towns)))
    began = time.monotonic()
    district.start_nodes(district.terminals.values(), width, on_ready=Teller("terminals started", len(district.terminals)))
    for node in district.join_missing():
        progress(f"{node} showed fingerprint {node.device()['fingerprint'][:9]}…, was issued a token, and joins with it")
    wait_until(all_connected(district), CONNECT_S, "every terminal is connected", pause=0.1)
    progress(f"all {len(district.terminals)} terminals are connected, {time.monotonic() - began:.1f} s after the first was started")


def residents_bring(district):
    """Each town's share of the made-up residents, once: the file stays as the sign that they are there."""
    missing = [town for town in district.towns.values() if not residents_file(district, town).exists()]
    if not missing:
        return
    began = time.monotonic()
    made = residents.residents(residents.places())
    for town in missing:
        kept = residents_file(district, town)
        kept.parent.mkdir(exist_ok=True)
        coming = kept.with_suffix(".coming")
        coming.write_text(residents.lines(made[town.place]))
        district.lmctl("persons", "import", coming, "--doubles", "--by", "demo", "--reason", "演示数据", node=town)
        coming.rename(kept)
    progress(f"{sum(len(made[town.place]) for town in missing)} made-up residents, {time.monotonic() - began:.1f} s")


def certificates_bring(district):
    """Certificates of some of the residents, once."""
    path = district.folder / "made-up-certificates"
    if path.exists():
        return
    began, tell = time.monotonic(), Teller("certificates", certificates.COUNT)
    certificates.Certificates(district, district.passwords[certificates.ASSESSOR]).make(tell)
    path.touch()
    progress(f"made-up certificates, {time.monotonic() - began:.1f} s")


def residents_file(district, town):
    return district.folder / "made-up-residents" / f"{town.place}.jsonl"


def month_live(district, count):
    """The month before the first start, on daemons whose clocks say so; they end, and start anew on the machine's own."""
    clock = month.Clock(district.folder)
    environment = clock.environment()
    for node in district.nodes:
        node.environment |= environment
    start(district)
    progress(f"a month of made-up life: {count} requests")
    month.Month(district, clock, count).live(Teller("requests handed in", count))
    district.stop()
    for node in district.nodes:
        for name in environment:
            del node.environment[name]
    clock.path.unlink()


def show(district):
    names = names_read()
    shown = list(district.terminals.values())[:20]
    rows = [("district", names[HUB_PLACE], district.hub)]
    rows += [("town", names[place], town) for place, town in district.towns.items()]
    rows += [("terminal", names[terminal.place[:12]], terminal) for terminal in shown]
    say()
    say("Last Mile 最后一公里  演示数据 (demo: every person and every request in it is made up)")
    for tier, name, node in rows:
        say(f"  {tier:<9} http://{node.http_address}/  {node.place}  {name}")
    if len(shown) < len(district.terminals):
        last = list(district.terminals.values())[-1]
        say(f"            … and {len(district.terminals) - len(shown)} terminals more, up to http://{last.http_address}/")
    for name, role in ROLES.items():
        what = {"clerk": "each town", "supervisor": "each town: approves, opens again", "editor": "district: drafts", "publisher": "district: publishes"}.get(role, "district")
        say(f"  {'log in as' if name == 'clerk1' else '':<9}  {name:<10} {district.passwords[name]}   ({what})")
    say(f"             {certificates.ASSESSOR:<10} {district.passwords[certificates.ASSESSOR]}   (district: assesses)")
    say(f"  data, logs and settings are in {district.folder}")
    if not (district.pages / "town").is_dir():
        say("  the pages are not built (see above): only the API answers")
    say()


# ---- a run ----

def watch(district):
    """Until somebody ends it. A daemon that somebody else ends does not take the others along: that is the product."""
    told = set()
    while True:
        for node in district.nodes:
            if node.has_ended() and node not in told:
                told.add(node)
                progress(f"{node.why_ended()}\nThe others go on without it; start the demo again to bring it back.")
        time.sleep(0.5)


def once(district):
    """One request, from a terminal to the answer. Everything that is said here has been seen at the place it is said of."""
    node = next(iter(district.terminals.values()))
    town = district.towns[node.place[:9]]
    names = names_read()
    kiosk = node.kiosk()
    command = kiosk.draft()
    began = time.monotonic()

    def mark(text):
        say(f"  +{time.monotonic() - began:7.3f} s  {text}")

    say(f"{names[node.place[:12]]}: a request for {command['service']}, receipt {command['code']}")
    view = kiosk.hand_in(command)
    if view["faults"] or not view["is_saved"]:
        raise Failed(f"the terminal did not save the request: {view}")
    request_id = view["request_id"]
    mark("saved here")
    for name, text in (("town", f"at the town ({names[town.place]})"), ("district", f"at the district ({names[HUB_PLACE]})")):
        wait_until(lambda: kiosk.marks(request_id)[name], MARK_S, f"the terminal shows the request {text}", pause=0.002)
        mark(text)

    desk = town.desk("clerk1")
    wait_until(lambda: desk.has_case(request_id), MARK_S, f"{names[town.place]} has the case")
    if not any(row["request_id"] == request_id for row in desk.cases()):
        raise Failed("the case is not in the town's queue")
    desk.accept(request_id)
    mark("accepted by clerk1")
    desk.grant(request_id)
    mark("granted by clerk1")

    def is_granted():
        return any(status["outcome"] == "OUTCOME_GRANTED" for status in kiosk.statuses(command["code"], request_id))

    wait_until(is_granted, ANSWER_S, "the terminal shows that it was granted", pause=0.1)
    mark("granted, seen at the terminal with the receipt's code")
    for other in district.nodes:
        if other.has_ended():
            raise Failed(other.why_ended())


def run(given):
    lock = folder_lock(given.dir)
    with lock:
        district = district_lay_out(given, state_open(given))
        ports_check(district)
        disk_check(district)
        files_allow()
        try:
            if given.cases and not (district.hub.folder / "store").exists():
                month_live(district, given.cases)
            start(district)
            residents_bring(district)
            if given.once:
                once(district)
            else:
                certificates_bring(district)
                show(district)
                say("Ctrl-C ends it.")
                watch(district)
        except Ended:
            progress("ending")
            raise
        finally:
            hold_signals()
            district_end(district)


def district_end(district):
    try:
        district.stop()
    except BaseException:
        district.kill()
        raise


def main():
    given = arguments_read()
    if given.check:
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        run(given)
    except Ended as ended:
        return 128 + ended.number if given.once else 0
    except Failed as failed:
        hold_signals()
        print(f"deploy/demo: {failed}", file=sys.stderr)
        return 1
    except (OSError, Refused) as error:
        print(f"deploy/demo: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    if given.once:
        progress("ended, and all of it worked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
