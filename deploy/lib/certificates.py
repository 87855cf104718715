"""The demo's certificates: made-up residents apply, are assessed, and get or do not get one, through the pages' own routes. The
same seed tells the same story. What is found of them is made up, as they are."""
import random

from client import Refused
from district import wait_until

COUNT = 200  # over all towns
ASSESSOR = "assessor1"  # of the district
OWN_NUMBER = "990114194001010026"  # made up: region 990114 is nobody's
SURNAMES = "王李张刘陈杨赵黄周吴"
# How far each comes, of a hundred; the steps of one that comes all the way.
COURSES = {"applied": 10, "drawn": 5, "pledged": 5, "assessed": 10, "checked": 5, "refused": 5, "issued": 45, "lost": 5,
           "renewing": 5, "cancelled": 5}
WAY = ["DRAW", "PLEDGE", "ASSESS", "CHECK", "ISSUE"]
STEPS = {"applied": 0, "drawn": 1, "pledged": 2, "assessed": 3, "checked": 4, "refused": 4}  # the others: all
AFTER = {"lost": {"act": "LOSS", "reason": "示例：遗失"}, "renewing": {"act": "RENEWAL"},
         "cancelled": {"act": "CANCEL", "cancel": "CANCEL_GROUND_OWN_WISH", "reason": "示例：本人要求"}}


def found(desk, count):
    """Residents of a town, as its clerk finds them."""
    people = {}
    for surname in SURNAMES:
        for row in desk.find_persons(surname, 50)["persons"]:
            if not (row["is_dead"] or row["is_merged"] or row["is_away"]):
                people[row["person_id"]] = row
        if len(people) >= count:
            break
    return list(people)[:count]


def step(desk, person, act, path="/api/v1/persons/{}/certificate", **more):
    return desk.post(path.format(person), {"act": f"CERTIFICATE_ACT_{act}", **more})


class Certificates:
    def __init__(self, district, password, seed=1):
        self.district, self.draw = district, random.Random(seed)
        self.operator, self.second = district.hub.desk("operator1"), district.hub.desk("operator2")
        district.hub.control.post("/ctl/v1/users", {"name": ASSESSOR, "password": password, "role": "assessor", "by": "demo"})
        self.assessor = type(self.operator)(district.hub.http_address).login(ASSESSOR, password)
        self.assessor.post("/api/v1/assessments/declaration", {"own_number": OWN_NUMBER})

    def make(self, tell):
        share, done = -(-COUNT // len(self.district.towns)), 0
        for town in self.district.towns.values():
            clerk = town.desk("clerk1")
            people = [person for person in found(clerk, share) if self.applies(clerk, person)]
            if people:
                wait_until(lambda: self.has_applied(people[-1]), 60, "the district has what the town applied for")
            for person in people:
                self.go(clerk, person, self.draw.choices(list(COURSES), list(COURSES.values()))[0])
                done += 1
                tell(done)

    def applies(self, clerk, person):
        """Not when a start that was interrupted had begun with this one."""
        try:
            return step(clerk, person, "APPLY", reason="示例：本人申请")
        except Refused:
            return None

    def has_applied(self, person):
        try:
            return "facts" in self.operator.look(person)["certificate"]
        except Refused:  # the record has not come yet
            return False

    def go(self, clerk, person, course):
        for act in WAY[:STEPS.get(course, len(WAY))]:
            if act in ("PLEDGE", "ASSESS"):
                finding = {"category": self.draw.choice((1, 2, 4, 4, 5, 6)), "grade": self.draw.randint(1, 4), "findings": "示例结论",
                           "recheck_on": self.draw.choice(("", "", "2026-10-01", "2028-11-22"))}
                step(self.assessor, person, act, "/api/v1/assessments/{}", **({"finding": finding} if act == "ASSESS" else {}))
            else:
                step(self.second if act == "CHECK" else self.operator, person, act)
        if course == "refused":
            step(self.operator, person, "REFUSE", ground="示例依据", remedy="示例：不服本决定的，可以提出复核。")
        if course in AFTER:
            wait_until(lambda: self.is_issued(clerk, person), 60, "the town sees what was issued")
            step(clerk, person, **AFTER[course])

    def is_issued(self, clerk, person):
        return clerk.look(person)["certificate"].get("facts", {}).get("state") == "CERTIFICATE_STATE_ISSUED"
