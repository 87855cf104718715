"""A month of the demo's life: made-up residents hand in requests at the terminals, made-up staff work on them, through the
pages' own routes. The daemons' wall clocks say the days on which it happens (libfaketime); everything else in them is
ordinary, and so is every entry that is written. The same seed tells the same story."""
import datetime
import heapq
import pathlib
import random
import time

import residents
import samples
from client import Refused
from district import HUB, TOWN, Failed, wait_until

LIBRARY = "faketime/libfaketime.so.1"
DAYS, DAYS_BEFORE = 30, 31  # of requests; the day on which everything is set up
DAY_S = 86400
CHINA = datetime.timezone(datetime.timedelta(hours=8))
OPEN_H, CLOSE_H = 8.5, 16.5  # of the centres; terminals are used within them, and staff work
SYNC_S = 60
ADULT_BORN_BEFORE = "2008"  # a child needs a guardian, whom the forms ask for
STAFF = {TOWN: "clerk1", HUB: "operator1"}
# What becomes of a request, of a hundred. What is left open is open, and some of it too long.
COURSES = {"granted": 50, "refused": 12, "asked": 14, "withdrawn": 4, "accepted": 12, "waiting": 8}
AFTER_DAYS = {"accept": (0, 1), "ask": (0, 2), "answer": (1, 4), "decide": (1, 7), "withdraw": (0, 3)}
ANSWER = "示例回答：已经补齐。"
TEXTS = {"ask": "示例：请写明您家住几楼。", "granted": "示例：已同意。", "refused": "示例：不符合条件。"}
GROUND, REMEDY = "示例依据", "示例：不服本决定的，可以自收到之日起向本街镇提出。"


class Clock:
    """What the daemons' wall clocks say: the machine's own, so many seconds away."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "clock"
        self.away_s = -DAYS_BEFORE * DAY_S
        self.write()

    def environment(self):
        library = next(iter(pathlib.Path("/usr/lib").glob(f"*-linux-gnu/{LIBRARY}")), None)
        if library is None:
            raise Failed("libfaketime is missing: deploy/install brings it")
        return {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.path), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def now_s(self):
        return time.time() + self.away_s

    def set(self, when_s):
        """Never back: a day that took longer than it should pushes what follows."""
        self.away_s = max(self.away_s, when_s - time.time())
        self.write()

    def write(self):
        draft = self.path.with_suffix(".new")
        draft.write_text(f"{self.away_s:+.3f}")
        draft.replace(self.path)


def is_working_day(day):
    return day.weekday() < 5


def moment(draw, day):
    """Some time of an opening day."""
    start = datetime.datetime.combine(day, datetime.time(), CHINA).timestamp()
    return start + draw.uniform(OPEN_H, CLOSE_H) * 3600


def later(draw, when_s, step):
    """A working day's moment so many days after."""
    day = datetime.datetime.fromtimestamp(when_s, CHINA).date() + datetime.timedelta(days=draw.randint(*AFTER_DAYS[step]))
    while not is_working_day(day):
        day += datetime.timedelta(days=1)
    return max(moment(draw, day), when_s + draw.uniform(600, 3600))


class Request:
    """One made-up resident's request, and what is to become of it."""

    def __init__(self, terminal, nth, course):
        self.terminal, self.nth, self.course = terminal, nth, course
        self.command, self.desk = None, None

    def values(self, service, person):
        """The resident's own name, number and phone where the form asks for them."""
        own = {"FIELD_TYPE_PERSON": person["name"], "FIELD_TYPE_ID_NUMBER": person["id_number"],
               "FIELD_TYPE_CERTIFICATE": person.get("certificate"), "FIELD_TYPE_PHONE": person["contacts"][0]["phone"]}
        answers = samples.answers(service, self.nth)
        for field in service["fields"]:
            if own.get(field["type"]) and field.get("meaning", "").startswith("FIELD_MEANING_APPLICANT"):
                next(a for a in answers if a["field"] == field["id"])["values"] = [own[field["type"]]]
        return answers


class Month:
    def __init__(self, district, clock, count, seed=1):
        self.district, self.clock, self.draw = district, clock, random.Random(seed)
        self.count, self.plan, self.order, self.people, self.desks = count, [], 0, {}, {}
        made = residents.residents(residents.places())
        for town in district.towns:
            for facts in (person["facts"] for person in made[town]):
                if facts["birth"] < ADULT_BORN_BEFORE:
                    self.people.setdefault(facts["community"], []).append(facts)

    def add(self, when_s, deed, request):
        self.order += 1
        heapq.heappush(self.plan, (when_s, self.order, deed, request))

    def lay_out(self):
        today = datetime.datetime.now(CHINA).date()
        days = [today - datetime.timedelta(days=ago) for ago in range(DAYS, 0, -1)]
        terminals = list(self.district.terminals.values())
        for nth in range(self.count):
            course = self.draw.choices(list(COURSES), list(COURSES.values()))[0]
            request = Request(self.draw.choice(terminals), nth, course)
            self.add(moment(self.draw, self.draw.choice(days)), self.hand_in, request)

    def live(self, tell):
        self.lay_out()
        end_s, done = time.time(), 0
        while self.plan and self.plan[0][0] < end_s:
            when_s, _, deed, request = heapq.heappop(self.plan)
            self.clock.set(when_s)
            deed(request)
            done += deed == self.hand_in
            tell(done)
        return done

    # ---- what people do ----

    def hand_in(self, request):
        kiosk = request.terminal.kiosk()
        service = self.draw.choice(kiosk.services())
        command = kiosk.draft(service, request.nth)
        command["values"] = request.values(service, self.draw.choice(self.people[request.terminal.place[:12]]))
        for consent in command["consents"]:
            consent["time_ms"] = str(int(self.clock.now_s() * 1000))
        view = kiosk.hand_in(command)
        if view["faults"]:
            raise Failed(f"a made-up request for {service['id']} was not taken: {view['faults']}")
        request.command = command
        wait_until(lambda: kiosk.marks(view["request_id"])["district"], SYNC_S, "the district has a made-up request")
        request.desk = self.owner(request)
        if request.course == "withdrawn":
            self.add(later(self.draw, self.clock.now_s(), "withdraw"), self.withdraw, request)
        elif request.course != "waiting":
            self.add(later(self.draw, self.clock.now_s(), "accept"), self.accept, request)

    def owner(self, request):
        """Whose case it is."""
        town = self.district.towns[request.terminal.place[:9]]
        for node in (town, self.district.hub):
            if node not in self.desks:
                self.desks[node] = node.desk(STAFF[node.tier])
            desk = self.desks[node]
            if desk.has_case(request.command["request_id"]) and desk.case(request.command["request_id"])["row"]["is_ours"]:
                return desk
        raise Failed("nobody has a made-up request")

    def row(self, request):
        return request.desk.case(request.command["request_id"])["row"]

    def accept(self, request):
        request.desk.accept(request.command["request_id"])
        if request.course == "asked":
            self.add(later(self.draw, self.clock.now_s(), "ask"), self.ask, request)
        elif request.course != "accepted":
            self.add(later(self.draw, self.clock.now_s(), "decide"), self.decide, request)

    def ask(self, request):
        request.desk.act(request.command["request_id"], "CASE_ACTION_ASK", text=TEXTS["ask"])
        self.add(later(self.draw, self.clock.now_s(), "answer"), self.answer, request)

    def receipt(self, request, can):
        """The resident's page, once it shows what the town has written."""
        kiosk = request.terminal.kiosk()
        code, request_id = request.command["code"], request.command["request_id"]

        def look():
            mine = [r for r in kiosk.lookup(code)["receipts"] if r["request_id"] == request_id]
            return mine[0] if mine and mine[0][can] else None

        receipt = wait_until(look, SYNC_S, "a made-up receipt shows the newest state", pause=0.2)
        version = receipt["statuses"][-1]["version"] if receipt["statuses"] else 0
        return kiosk, {"code": code, "request_id": request_id, "version": version}

    def answer(self, request):
        kiosk, ask = self.receipt(request, "can_answer")
        kiosk.post("/api/v1/receipts/answer", ask | {"text": ANSWER})
        wait_until(lambda: self.row(request)["state"] != "CASE_STATE_ASKED", SYNC_S, "an answer is there")
        self.add(later(self.draw, self.clock.now_s(), "decide"), self.decide, request)

    def withdraw(self, request):
        kiosk, ask = self.receipt(request, "can_withdraw")
        kiosk.post("/api/v1/receipts/withdraw", ask | {"text": ""})

    def decide(self, request):
        is_refused = request.course == "refused"
        fields = {"ground": GROUND, "remedy": REMEDY} if is_refused else {}
        try:
            fields["values"] = samples.step_answers(request.desk.case(request.command["request_id"]))
            request.desk.act(request.command["request_id"], "CASE_ACTION_DECIDE", text=TEXTS["refused" if is_refused else "granted"],
                             outcome="OUTCOME_REFUSED" if is_refused else "OUTCOME_GRANTED", **fields)
        except Refused as refused:
            if refused.code != "denied":  # evidence is missing, or two must decide: it stays open
                raise Failed(f"a made-up decision about {request.command['service']} was refused: {refused}") from None
