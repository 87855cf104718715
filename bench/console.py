"""A town's desk with many residents on file: what a search, a record and the first page cost, how long until everything can be
found after a start, and how long the table of records is sealed anew after an erasing. People who do not exist, by seed
(deploy/lib/residents.py); all daemons are the real ones, on one machine."""
import pathlib
import random
import re
import shutil
import sys
import tempfile
import time

import path
from district import HUB, TERMINAL, TOP, TOWN, District, Failed, wait_until
from path_table import verdict

sys.path.insert(0, str(TOP / "deploy/lib"))
import residents  # noqa: E402

TARGETS = ["lm-hub", "lm-subcenter", "lm-terminal", "lmctl"]
PLACE = "310114106"
SIZES, QUICK = (10_000, 100_000), (2_000,)
ASKED = 400
SEARCH_P95_MS = 100
PATIENCE_S = 600
PASSWORD = "a long password for two"
MAP_SIZES = {HUB: "1G", TOWN: "1G", TERMINAL: "16M"}


def timed(call, asked):
    """Milliseconds: the median, and that which 95 of 100 keep."""
    took = []
    for one in asked:
        began = time.monotonic()
        call(one)
        took.append((time.monotonic() - began) * 1000)
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.95)]


def resident_mb(node):
    """Without the pages of its map, which are the kernel's cache."""
    status = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
    return int(re.search(r"^RssAnon:\s+(\d+)", status, re.M)[1]) / 1024


def queries(draw, people):
    """By a part of a name, by initials as ICU reads surnames that have one reading, and by last four."""
    one = draw.choice(people)["facts"]
    return draw.choice([one["name"], one["name"][:2], one["id_number"][-4:], one["contacts"][0]["phone"][-4:]])


def erase(desk, second, person):
    act = desk.post("/api/v1/erasures", {"action": "ERASE_ACTION_PROPOSE", "persons": [person], "reason": "示例", "ground": "示例"})["act"]
    second.post(f"/api/v1/erasures/{act}", {"action": "ERASE_ACTION_CONFIRM"})


def rekeyed(node, began):
    wait_until(lambda: '"rekeyed"' in node.log.read_text() or " rekeyed" in node.log.read_text(), PATIENCE_S,
               "the key table has another key", pause=0.05)
    return time.monotonic() - began


def measure(district, count, tell):
    town, draw = district.towns[PLACE], random.Random(1)
    people = residents.residents({PLACE: [f"{PLACE}{number:03}" for number in range(1, 25)]}, count)[PLACE]
    file = district.folder / "residents.jsonl"
    file.write_text(residents.lines(people))
    result, began = {"records": count}, time.monotonic()
    district.lmctl("persons", "import", file, "--doubles", "--by", "bench", "--reason", "示例", node=town)
    result["import_s"] = time.monotonic() - began
    tell(f"{count} records, {result['import_s']:.0f} s")
    town.stop()
    began = time.monotonic()
    town.start().wait_ready()
    result["ready_s"] = time.monotonic() - began
    desk = town.desk()
    wait_until(lambda: desk.find_persons("示例")["is_ready"], PATIENCE_S, "the index is whole", pause=0.02)
    result["index_s"] = time.monotonic() - began
    result["memory_mb"] = resident_mb(town)
    found = desk.find_persons("示例")
    if int(found["total"]) != count or len(found["persons"]) != 20:
        raise Failed(f"{found['total']} of {count} records can be found")
    asked = [queries(draw, people) for _ in range(ASKED)]
    result["search_ms"] = timed(desk.find_persons, asked)
    result["initials_ms"] = timed(desk.find_persons, [draw.choice("wlzcyhs") + "sj" for _ in range(ASKED)])
    rows = [row["person_id"] for query in asked[:40] for row in desk.find_persons(query)["persons"]]
    result["look_ms"] = timed(desk.look, [draw.choice(rows) for _ in range(ASKED // 2)])
    result["page_ms"] = timed(lambda _: desk.get("/api/v1/cases?view=open"), range(ASKED // 2))
    town.control.post("/ctl/v1/users", {"name": "second", "password": PASSWORD, "role": "clerk", "by": "bench"})
    second = type(desk)(town.http_address).login("second", PASSWORD)
    began = time.monotonic()
    erase(desk, second, rows[0])
    result["rekey_s"] = rekeyed(town, began)
    return result


def run(build, folder, options, tell):
    results = []
    for _ in range(options.rounds):
        one = []
        for count in QUICK if options.quick else SIZES:
            where = tempfile.mkdtemp(prefix="lm-bench-", dir=folder)
            district = District(where, build=build, pages=None)
            try:
                district.map_sizes = dict(MAP_SIZES)
                district.add_town(PLACE)
                district.start()
                one.append(measure(district, count, tell))
                district.stop()
            except Failed as failed:
                raise path.Failed(str(failed)) from failed
            finally:
                district.kill()
                shutil.rmtree(where, ignore_errors=True)
        results.append(one)
    return results


def middle(values):
    return sorted(values)[len(values) // 2]


def table(results, options):
    del options
    lines = ["| records | search p50, p95 | by initials | a record, its look journalled | queue's first page | memory of the town's daemon | brought in | "
             "all can be found after a start | key table sealed anew |", "|---|---|---|---|---|---|---|---|---|"]

    def both(rounds, name):
        return "%.1f, %.1f ms" % tuple(middle([one[name][i] for one in rounds]) for i in (0, 1))

    worst = 0
    for rounds in zip(*results):
        worst = max(worst, middle([one["search_ms"][1] for one in rounds]), middle([one["initials_ms"][1] for one in rounds]))
        lines.append("| {:,} | {} | {} | {} | {} | {:.0f} MB | {:.0f} s | {:.1f} s | {:.1f} s |".format(
            rounds[0]["records"], both(rounds, "search_ms"), both(rounds, "initials_ms"), both(rounds, "look_ms"), both(rounds, "page_ms"),
            *(middle([one[name] for one in rounds]) for name in ("memory_mb", "import_s", "index_s", "rekey_s"))))
    return [*lines, "", f"Search within {SEARCH_P95_MS} ms for 95 of 100, over HTTP and JSON: {verdict(worst <= SEARCH_P95_MS)}. Memory: anonymous pages, "
            "without the map that the kernel caches."]
