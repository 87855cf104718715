#!/usr/bin/env python3
"""Who may do what: every route of every daemon, asked by every role.

`ALLOWED` is what ought to be, in one place. A route that a daemon serves and this table does not name is a failure, and so is
a role. What is asked are real daemons; a role that may gets another answer than the guard's, one that may not gets that.
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
SITE = f"{TOWN}001-T1"
ID = "0" * 32

ROLES = {lm.TOWN: {"clerk", "supervisor", "assessor", "administrator"},
         lm.HUB: {"operator", "editor", "publisher", "auditor", "administrator", "assessor"},
         lm.TERMINAL: set()}
ANYBODY, LOCAL, KIOSK = "anybody", "the Unix socket alone", "the kiosk's page"
EVERYONE = set().union(*ROLES.values())  # who is logged in
CASEWORK = {"clerk", "supervisor", "operator"}
STATE = CASEWORK | {"editor", "publisher", "administrator"}
WRITERS = {"operator", "editor", "publisher", "clerk", "supervisor"}  # who publishes, not what: that is the tier's
DEVICES = {"operator", "administrator"}
RESETS = {"supervisor", "administrator"}
AUDIT = {"supervisor", "auditor"}

EVERY_DAEMON = {
    **{f"GET {path}": ANYBODY for path in ("/api/v1/catalogue", "/api/v1/calendars", "/metrics", "/healthz", "/readyz")},
    **{f"GET /ctl/v1/{path}": LOCAL for path in ("status", "journal", "verify", "quarantine", "backups", "return", "devices", "tokens")},
    **{f"POST /ctl/v1/{path}": LOCAL
       for path in ("catalogue", "users", "quarantine", "backups", "backups/confirm", "return/leave-out", "admit", "revoke", "keys",
                    "release", "tokens", "tokens/withdraw", "join", "cards/issue", "cards/revoke")},
}
DESK = EVERY_DAEMON | {
    "GET /api/v1/front": ANYBODY,
    "POST /api/v1/login": ANYBODY, "POST /api/v1/unlock": ANYBODY, "POST /api/v1/logout": ANYBODY,
    "GET /ctl/v1/accounts": LOCAL, "POST /ctl/v1/accounts": LOCAL,
    **{route: EVERYONE for route in (
        "POST /api/v1/lock", "POST /api/v1/login/password", "POST /api/v1/login/second",
        "POST /api/v1/login/code", "GET /api/v1/me", "GET /api/v1/events", "GET /api/v1/sessions", "POST /api/v1/sessions/end")},
    **{route: CASEWORK for route in ("POST /api/v1/persons/:id/certificate", "GET /api/v1/certificates", "GET /api/v1/verification")},
    **{route: {"assessor"} for route in (
        "GET /api/v1/assessments", "POST /api/v1/assessments/declaration", "POST /api/v1/assessments/:id",
        "POST /api/v1/assessments/:id/look")},
    "GET /api/v1/accounts": RESETS, "POST /api/v1/accounts": RESETS, "GET /api/v1/audit": AUDIT,
    **{route: CASEWORK for route in (
        "GET /api/v1/cases", "POST /api/v1/cases/search", "POST /api/v1/cases/bulk", "GET /api/v1/work", "POST /api/v1/work",
        "GET /api/v1/contacts", "GET /api/v1/cases/:id/contacts", "POST /api/v1/cases/:id/contacts",
        "GET /api/v1/cases/:id", "GET /api/v1/cases/:id/files/:field", "GET /api/v1/cases/:id/events/:version/files/:field",
        "POST /api/v1/cases/:id/actions",
        "POST /api/v1/cases/:id/letters", "GET /api/v1/cases/:id/wordings",
        "GET /api/v1/erasures", "POST /api/v1/erasures", "POST /api/v1/erasures/:act",
        "GET /api/v1/quarantine", "POST /api/v1/quarantine", "POST /api/v1/persons", "POST /api/v1/persons/search",
        "GET /api/v1/persons/doubles", "POST /api/v1/persons/:id", "POST /api/v1/persons/:id/look", "GET /api/v1/persons/:id/looks")},
    "GET /api/v1/places": CASEWORK | DEVICES,
    **{f"GET /api/v1/{path}": STATE for path in ("links", "backups", "return")},
    **{f"GET /api/v1/publications/:collection{path}": WRITERS for path in ("", "/:key", "/:key/:revision")},
    "POST /api/v1/publications/:collection/:key": WRITERS,
    "POST /ctl/v1/persons": LOCAL,
}
ALLOWED = {
    lm.TOWN: DESK | {f"POST /api/v1/{path}": CASEWORK for path in ("intake", "intake/drafts", "rings/:id", "cases/:id/code")} | {f"GET /api/v1/{path}": CASEWORK for path in ("rings", "rings/waiting")},
    lm.HUB: DESK | {
        "GET /api/v1/totals": CASEWORK,
        **{f"GET /api/v1/reports{path}": {"operator", "auditor"} for path in ("", "/:id/:period")},
        **{f"POST /api/v1/reports/:id/:period{path}": {"operator"} for path in ("", "/file")},
        **{route: CASEWORK for route in ("GET /api/v1/samples", "POST /api/v1/samples", "POST /api/v1/samples/:id")},
        **{f"GET /api/v1/{path}": DEVICES for path in ("devices", "tokens")},
        **{f"POST /api/v1/{path}": DEVICES for path in ("devices/revoke", "devices/release", "tokens", "tokens/withdraw")},
    },
    lm.TERMINAL: EVERY_DAEMON | {
        "POST /api/v1/begin": ANYBODY, "GET /api/v1/state": ANYBODY, "GET /api/v1/points": ANYBODY,
        **{f"GET /api/v1/{path}": KIOSK for path in ("requests/:id/marks", "notices", "signs", "signs/:of", "scan", "events")},
        **{f"POST /api/v1/{path}": KIOSK
           for path in ("drafts", "requests", "receipts/lookup", "receipts/answer", "receipts/withdraw", "receipts/object", "receipts/rate", "receipts/print", "join", "ring", "card", "pinyin", "speech", "scan/wipe")},
    },
}
LOGIN = {"POST /api/v1/login/password", "POST /api/v1/login/code"}  # an empty one is a wrong one
LAST = ["POST /api/v1/unlock", "POST /api/v1/lock", "POST /api/v1/logout"]  # they end the session that asks, or lock it


def served(program):
    """What a daemon prints of itself: its routes, and the roles of its accounts."""
    lines = subprocess.run([program, "--print-routes"], capture_output=True, text=True, check=True).stdout.splitlines()
    roles = {line.removeprefix("role ") for line in lines if line.startswith("role ")}
    return [" ".join(line.split(" ")[:2]) for line in lines if not line.startswith("role ")], roles


class Roles(lm.Case):
    def test_every_route_and_role_is_named_here(self):
        for tier, program in ((lm.HUB, "lm-hub"), (lm.TOWN, "lm-subcenter"), (lm.TERMINAL, "lm-terminal")):
            with self.subTest(program):
                routes, roles = served(lm.BUILD / program)
                self.assertEqual(sorted(ALLOWED[tier]), sorted(routes))
                self.assertEqual(len(set(routes)), len(routes), "a route stands twice")
                if tier != lm.TERMINAL:
                    self.assertEqual(ROLES[tier], roles)

    def test_every_role_at_every_route(self):
        district = self.lay_out(sites=1)
        district.publish = lambda *args, **kwargs: None
        district.start()
        hub, town, terminal = district.hub, district.towns[TOWN], district.terminals[SITE]
        desks = {node: {role: self.desk_of(node, role) for role in sorted(ROLES[node.tier])} for node in (hub, town)}
        self.told(district, desks[hub]["auditor"])
        for node in (hub, town):
            foreign = desks[town if node is hub else hub]
            for route in self.routes(node):
                self.nobody(node, route)
                for role, desk in foreign.items():
                    self.stranger(node, route, role, desk)
                for role, desk in desks[node].items():
                    self.staff(node, route, role, desk)
        for route in self.routes(terminal):
            self.nobody(terminal, route)
            for role, desk in {**desks[hub], **desks[town]}.items():
                self.stranger(terminal, route, role, desk)

    def told(self, district, auditor):
        """What the district's auditor reads of what operators did."""
        lm.District.publish(district, [lm.CATALOGUE[0]])
        token = district.issue(district.terminals[SITE], by="chen", fingerprint="5a" * 32, place=f"{TOWN}009-T1")
        district.hub.control.post("/ctl/v1/revoke", {"device": SITE, "reason": "示例：失窃", "by": "li"})
        rows, before = [], ""
        while before != "0":
            page = auditor.get("/api/v1/audit?limit=5" + (f"&before={before}" if before else ""))
            rows, before = rows + page["rows"], page["next"]
        acts = {(row["what"], row["by"], row["second"], row["about"], row["reason"]) for row in rows}
        for act in (("publish", "publisher1", "editor1", f"{lm.CATALOGUE[0].stem} 1", ""),
                    ("token-issue", "chen", "", token["place"], ""), ("device-revoke", "li", "", SITE, "示例：失窃"),
                    ("device-admit", "demo", "", TOWN, ""), ("account-set", "test", "", "one.auditor (auditor)", "")):
            self.assertIn(act, acts)
        self.assertEqual(sorted((int(row["position"]) for row in rows), reverse=True), [int(row["position"]) for row in rows])

    def routes(self, node):
        return sorted(ALLOWED[node.tier], key=lambda route: (LAST.index(route) + 1 if route in LAST else 0, route))

    def desk_of(self, node, role):
        name, password = f"one.{role}", f"the password of one {role}"
        node.control.post("/ctl/v1/users", {"name": name, "password": password, "role": role, "by": "test"})
        desk = lm.Desk(node.http_address).login(name, password)
        self.assertEqual(role, desk.get("/api/v1/me")["role"])
        return desk

    def answer(self, node, route, client):
        """The name of the error with which it is refused, and what it says; "" if it is not."""
        method, path = route.split(" ")
        path = path.replace(":collection", "catalogue").replace(":id", ID).replace(":act", ID).replace(":field", "photo")
        path = path.replace(":key", "nothing").replace(":revision", "1")
        if path.endswith("/events"):
            return self.stream(node, path, client)
        try:
            client.request(method, path, {} if method == "POST" else None)
        except lm.Refused as refused:
            return refused.code, refused.text
        return "", ""

    def stream(self, node, path, client):
        """An event stream does not end: its first line is answer enough."""
        connection = client._connection()
        connection.request("GET", path, headers={"Cookie": client.cookie or ""})
        response = connection.getresponse()
        code = "" if response.status == 200 else "login" if b'"login"' in response.read() else "denied"
        connection.close()
        return code, ""

    def nobody(self, node, route):
        """Without a session."""
        code, text = self.answer(node, route, lm.Client(node.http_address))
        allowed = ALLOWED[node.tier][route]
        expected = {ANYBODY: None, LOCAL: "not-found"}.get(allowed if isinstance(allowed, str) else "", "login")
        if expected:
            self.assertEqual(expected, code, f"nobody at {node}: {route}: {text}")
        else:
            self.assertNotIn("There is no session", text)

    def stranger(self, node, route, role, desk):
        """With the session of another daemon: it is none here."""
        client = lm.Client(node.http_address)
        name = {lm.HUB: "lm_hub", lm.TOWN: "lm_town", lm.TERMINAL: "lm_terminal"}[node.tier]
        client.cookie, client.csrf = f"{name}={desk.cookie.split('=')[1]}", desk.csrf
        allowed = ALLOWED[node.tier][route]
        if not isinstance(allowed, str) or allowed == KIOSK:
            self.assertEqual("login", self.answer(node, route, client)[0], f"{role} of elsewhere at {node}: {route}")

    def staff(self, node, route, role, desk):
        allowed = ALLOWED[node.tier][route]
        code, text = self.answer(node, route, desk)
        what = f"{role} at {node}: {route}: {code} {text}"
        if allowed == LOCAL:
            self.assertEqual("not-found", code, what)
        elif allowed == ANYBODY or role in allowed:
            self.assertNotIn("for other work", text, what)
            if allowed != ANYBODY and route not in LOGIN and route not in LAST:
                self.assertNotIn(code, ("login", "locked"), what)
        else:
            self.assertEqual("denied", code, what)


if __name__ == "__main__":
    report.main()
