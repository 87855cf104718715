"""Speaks to a daemon: over HTTP as the pages do, or over the Unix socket in its data folder as lmctl does."""
import http.client
import json
import socket

import samples


class Refused(Exception):
    """The daemon answered, and refused."""

    def __init__(self, status, code, text):
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code, self.text = status, code, text


class _LocalConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise


class Client:
    """One browser, or one lmctl. Every request has its own connection, so that a daemon may die and come back between two."""

    def __init__(self, address, timeout=30):
        """`address` is 127.0.0.1:PORT, or a path: a Unix socket."""
        self.address, self.timeout = str(address), timeout
        self.cookie = self.csrf = None

    def _connection(self):
        if "/" in self.address:
            return _LocalConnection(self.address, self.timeout)
        return http.client.HTTPConnection(self.address, timeout=self.timeout)

    def _keep_cookie(self, response):
        set_cookie = response.getheader("Set-Cookie")
        if set_cookie:
            self.cookie = set_cookie.split(";")[0]

    def request(self, method, path, body=None):
        """The answer's JSON. Raises Refused, OSError or http.client.HTTPException."""
        headers = {"Connection": "close"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if self.csrf:
            headers["X-Lm-Csrf"] = self.csrf
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body, ensure_ascii=False).encode()
        connection = self._connection()
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        self._keep_cookie(response)
        try:
            answer = json.loads(content) if content else {}
        except ValueError:
            raise Refused(response.status, "not-json", repr(content[:200])) from None
        if response.status >= 400:
            error = answer.get("error", {})
            raise Refused(response.status, error.get("code", ""), error.get("text", ""))
        return answer

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None):
        return self.request("POST", path, {} if body is None else body)

    def open_session(self, path, body=None):
        self.cookie = self.csrf = None
        view = self.post(path, body)
        self.csrf = view["csrf"]
        return view


class Kiosk(Client):
    """What a resident does at a terminal."""

    def begin(self):
        self.open_session("/api/v1/begin")
        return self

    def state(self):
        return self.get("/api/v1/state")

    def services(self):
        return self.get("/api/v1/catalogue")["services"]

    def can_serve(self):
        """True as soon as a request can be typed in; raises what Client.request raises."""
        if self.csrf is None:
            self.begin()
        try:
            state = self.state()
        except Refused as refused:
            if refused.code != "login":
                raise
            state = self.begin().state()  # the terminal was started again, and knows no old sessions
        return state["can_take_requests"] and state["services"] > 0

    def service(self, name=None, owner="TIER_TOWN"):
        """By its id; without one the first that `owner` decides."""
        for service in self.services():
            if service["id"] == name or (name is None and service["owner"] == owner):
                return service
        raise LookupError(f"the catalogue of {self.address} has no service {name or 'of ' + owner}")

    def draft(self, service=None, nth=0):
        """A SubmitCommand with made-up answers. Handing it in twice makes one request."""
        service = service or self.service()
        draft = self.post("/api/v1/drafts")
        return {"request_id": draft["request_id"], "code": draft["code"], "service": service["id"],
                "revision": service["revision"], "values": samples.answers(service, nth),
                "consents": samples.consents(service), "language": "zh-CN"}

    def hand_in(self, command):
        return self.post("/api/v1/requests", command)

    def submit(self, service=None, nth=0):
        """Hands in one request with made-up answers; the SubmitView."""
        return self.hand_in(self.draft(service, nth))

    def marks(self, request_id):
        return self.get(f"/api/v1/requests/{request_id}/marks")

    def lookup(self, code):
        return self.post("/api/v1/receipts/lookup", {"code": code})

    def statuses(self, code, request_id):
        """What the receipt shows, oldest first; empty while nothing has come."""
        for receipt in self.lookup(code)["receipts"]:
            if receipt["request_id"] == request_id:
                return receipt["statuses"]
        return []


class Desk(Client):
    """What staff of a town or the district do."""

    def login(self, name, password):
        self.open_session("/api/v1/login", {"name": name, "password": password})
        return self

    def cases(self, view="open"):
        """All rows of a queue, page by page."""
        rows, after = [], ""
        while True:
            page = self.get(f"/api/v1/cases?view={view}" + (f"&after={after}" if after else ""))
            rows += page["cases"]
            after = page["next"]
            if not after:
                return rows

    def case(self, request_id):
        return self.get(f"/api/v1/cases/{request_id}")

    def has_case(self, request_id):
        try:
            self.case(request_id)
        except Refused as refused:
            if refused.code == "not-found":
                return False
            raise
        return True

    def act(self, request_id, action, **fields):
        """CASE_ACTION_…, on the version that stands now unless `version` says otherwise."""
        if "version" not in fields:
            fields["version"] = self.case(request_id)["row"]["version"]
        return self.post(f"/api/v1/cases/{request_id}/actions", {"action": action, **fields})

    def accept(self, request_id):
        return self.act(request_id, "CASE_ACTION_ACCEPT")

    def create_person(self, facts, **fields):
        return self.post("/api/v1/persons", {"action": "PERSON_ACTION_CREATE", "facts": facts, **fields})

    def look(self, person, purpose="LOOK_PURPOSE_UPKEEP"):
        return self.post(f"/api/v1/persons/{person}/look", {"purpose": purpose})

    def change_person(self, person, action="PERSON_ACTION_CHANGE", **fields):
        """PERSON_ACTION_…, on the version that stands now unless `version` says otherwise."""
        if "version" not in fields:
            fields["version"] = self.look(person)["version"]
        return self.post(f"/api/v1/persons/{person}", {"action": action, **fields})

    def find_persons(self, query, limit=20):
        return self.post("/api/v1/persons/search", {"query": query, "limit": limit})

    def grant(self, request_id, text="示例：已同意。"):
        return self.act(request_id, "CASE_ACTION_DECIDE", outcome="OUTCOME_GRANTED", text=text,
                        values=samples.step_answers(self.case(request_id)))
