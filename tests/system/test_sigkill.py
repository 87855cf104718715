#!/usr/bin/env python3
"""Saved means saved, exactly once: every daemon of a district is killed again and again while people work at all of it.

A hub, two towns and eight terminals, and people at all of their pages (tests/lib/people.py). All the while daemons get
SIGKILL, often just as they were asked for something, sometimes several at once or while they start, and are started again
at once. Then everything runs in peace until nothing waits, and tests/lib/settled.py judges what is there.

    LM_KILLS=300     how many kills (30 where LM_SANITIZED is set, or the build has sanitizers)
    LM_SEED=…        the random choices of a run; the moments depend on the machine besides
    LM_KILL_S=90     over how many seconds the kills are spread, at least
"""
import collections
import contextlib
import http.client
import os
import pathlib
import queue
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import people  # noqa: E402
import report  # noqa: E402
import settled  # noqa: E402

IS_SANITIZED = bool(os.environ.get("LM_SANITIZED") or lm.HAS_SANITIZERS)
KILLS = int(os.environ.get("LM_KILLS") or (30 if IS_SANITIZED else 300))
SEED = os.environ.get("LM_SEED") or str(random.SystemRandom().randrange(10 ** 9))
SPREAD_S = float(os.environ.get("LM_KILL_S") or KILLS * (1.5 if IS_SANITIZED else 0.3))
PATIENCE_S = float(os.environ.get("LM_PATIENCE_S") or (300 if IS_SANITIZED else 180))  # for what must happen at some time
TOWNS = ("310114106", "310114103")
SITES = 4
REQUESTS_MOST = max(8, KILLS // 7)  # a resident


class Killer:
    """Chooses whom and when. Runs on the main thread, so that no daemon outlives the test."""

    def __init__(self, storm):
        self.storm, self.random = storm, random.Random(f"{SEED} killer")
        self.nodes = storm.district.nodes
        self.kills = collections.Counter()

    def run(self):
        start, done, published = time.monotonic(), 0, 0
        while done < KILLS:
            self.wait_moment(start + SPREAD_S * done / KILLS)
            victims = self.choose()
            self.storm.stop_if_trouble()
            for node in victims:
                node.send(signal.SIGKILL)
            for node in victims:
                node.kill()
                self.kills[node.tier] += 1
            done += len(victims)
            self.start_again(victims)
            if done // 60 > published:
                published = done // 60
                self.publish(published)

    def wait_moment(self, due):
        """Not before it is due; most often as somebody's request is on its way."""
        while (left := due - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        self.aimed_at = None
        if self.random.random() < 0.7:
            with contextlib.suppress(queue.Empty):
                self.storm.aims.get_nowait()  # of long ago
            with contextlib.suppress(queue.Empty):
                self.aimed_at = self.storm.aims.get(timeout=0.5)
        time.sleep(self.random.choice((0, 0.004, 0.01, 0.02, 0.06)) * self.random.random())

    def choose(self):
        district, node = self.storm.district, self.aimed_at
        if node is None or self.random.random() < 0.3:
            node = self.random.choice(self.nodes if self.random.random() < 0.6 else self.nodes[:3])
        elif node.tier == lm.TERMINAL and self.random.random() < 0.5:
            node = self.random.choice([district.towns[node.place[:9]], district.hub])  # where it is on its way to
        others = [other for other in self.nodes if other is not node]
        return [node] + self.random.sample(others, self.random.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 4)))

    def start_again(self, victims):
        """Whoever was told that something is stored there, must find it there as soon as it is back."""
        claims = self.claims_on(victims) if self.random.random() < 0.5 else []
        for node in victims:
            node.start()
        for node in victims if claims else []:
            lines = node.wait_ready(PATIENCE_S).status()["lines"]
            held = {(line["origin"], line["stream"], line["receiver"]): int(line["ordinal"]) for line in lines}
            for victim, line, ordinal, who in claims:
                if victim is node:
                    self.storm.count("claims checked")
                    if held.get(line, 0) < ordinal:
                        raise AssertionError(f"{node} had acked {ordinal} entries of {'/'.join(line)} to {who} and was "
                                             f"killed; now it has {held.get(line, 0)}")

    def claims_on(self, victims):
        claims = []
        for node in self.nodes:
            if node in victims:
                continue
            try:
                status = lm.Client(node.folder / "ctl.sock", timeout=PATIENCE_S).get("/ctl/v1/status")
            except (OSError, http.client.HTTPException, lm.Refused):
                continue  # it is just starting
            for line in status["lines"]:
                claims += self.claims_of(node, status["device"], line)
        return [claim for claim in claims if claim[0] in victims and claim[2]]

    def claims_of(self, node, device, line):
        """What a node believes that others hold of a line: (who, line, ordinal, node)."""
        district = self.storm.district
        key = line["origin"], line["stream"], line["receiver"]
        custody, final = int(line["custody"]), int(line["final"])
        if line["stream"] == "STREAM_UP":
            yield district.hub, key, final, node
            if node.tier == lm.TERMINAL:
                yield district.towns[node.place[:9]], key, custody, node
            elif node.tier == lm.TOWN:
                yield district.hub, key, custody, node
        elif line["stream"] == "STREAM_DOWN" and line["origin"] == device:
            for other in self.nodes:
                if other.device_id == line["receiver"]:
                    yield other, key, custody, node

    def publish(self, nth):
        """A new revision of a service, so that the district's own stream moves, too."""
        service = dict(self.storm.service)
        service["name"] = {"zh": f"{service['name']['zh']}（{nth}）", "en": f"{service['name']['en']} ({nth})"}
        command, control = {"services": [service], "by": "test", "second": "other"}, self.storm.district.hub.control
        lm.wait_until(lambda: control.post("/ctl/v1/catalogue", command), PATIENCE_S, "a revision is published")
        self.storm.revisions = nth + 1


class Sigkill(settled.Case):
    patience_s = PATIENCE_S

    def test_saved_means_saved_exactly_once(self):
        print(f"seed {SEED}: {KILLS} kills over {SPREAD_S:.0f} s", flush=True)
        start = time.monotonic()

        def say(text):
            print(f"[{time.monotonic() - start:6.1f} s] {text}", flush=True)

        district = self.lay_out(towns=TOWNS, sites=SITES)
        for node in district.terminals.values():
            node.settings["receipts_ahead"] = 1  # each costs time that a start should not take
        storm = people.Storm(district.start(), SEED, PATIENCE_S, REQUESTS_MOST).start()
        killer = Killer(storm)
        try:
            killer.run()
        except Exception:
            storm.is_over.set()
            raise
        say(f"killed {dict(killer.kills)}")
        storm.end()
        say(storm.told())
        self.check(storm, say)


if __name__ == "__main__":
    report.main()
