#!/usr/bin/env python3
"""Who tries to get out of the kiosk: the very session of deploy/kiosk (cage, start script, policies, keys) on a screen in memory,
with real keys and a real mouse, and a page that has turned hostile and does what it is told.

All of it has mounts, processes and a network of its own: no address but 127.0.0.1 leads anywhere, and nothing is left.

    LM_LONG=1       also what else Ctrl and Alt do where the key map fails, and a look in from outside (tests/run kiosk)
"""
import contextlib
import ctypes
import hashlib
import http.server
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import report  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
KIOSK = TOP / "deploy/kiosk"
UNIT = KIOSK / "lm-kiosk.service"
INSTALLED = pathlib.Path("/usr/local/share/last-mile/kiosk")
MANAGED = pathlib.Path("/etc/chromium/policies/managed")
RUN = pathlib.Path("/run/lm-kiosk")
UID = 64321  # nobody's
AS_KIOSK = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups", "--no-new-privs", "--"]
PATIENCE_S = 90
CODES = {"7": 16, "ctrl": 37, "shift": 50, "alt": 64, "Escape": "Escape", "F11": 95, "F12": 96, "Menu": 135, "super": 133, "WWW": 158, "Mail": 163,
         "BrowserBack": 166, "BrowserForward": 167, "HomePage": 180, "Reload": 181, "Search": 225, "F18": 196, "F19": 197, "F23": 201,
         "F24": 202} | {f"F{n}": 66 + n for n in range(1, 11)}  # as X numbers keys; the others by their names
REFUSED = ["Escape", "Menu", "super", *(f"F{number}" for number in range(1, 13)), "WWW", "Mail", "BrowserBack", "BrowserForward", "HomePage",
           "Reload", "Search"]
LET_THROUGH = ["a", "7", "Tab", "F18", "F19", "F24"]
# The one thing that keeps a hostile script of the terminal's own page from windows: what lm-terminal sends with it.
SANDBOX = re.search(r"sandbox [a-z -]+", (TOP / "common/http/answer.c").read_text())[0]
ELSEWHERE = "http://127.0.0.1:8604/"
STEAL = "{ const a = document.createElement('a'); a.download = 'stolen.txt'; a.href = URL.createObjectURL(new Blob(['x'])); a.click(); }"
in_full = unittest.skipUnless(os.environ.get("LM_LONG"), "LM_LONG is not set")
HOSTILE = b"""<!doctype html><meta charset=utf-8><title>T</title><body style="background:#345;height:99vh;margin:0"><script>
const post = (path, what) => fetch(path, { method: 'POST', body: JSON.stringify(what) });
addEventListener('keydown', (e) => post('/key', [e.key, e.ctrlKey || e.altKey || e.metaKey]));
addEventListener('pointerdown', (e) => post('/key', ['button' + e.button, false]));
addEventListener('pointermove', () => post('/key', ['moved', false]), { once: true });
(async () => { for (;;) {
    const { code } = await (await fetch('/order')).json();
    let said;
    try { said = await eval(code); } catch (error) { said = error.name; }
    await post('/said', String(said));
} })();
</script>"""


def until(call, what):
    end = time.monotonic() + PATIENCE_S
    while not (found := call()):
        if time.monotonic() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.1)
    return found


class Server(http.server.ThreadingHTTPServer):
    """Stands where lm-terminal would, and gives out the hostile page; or is another host, which nobody may ask."""
    daemon_threads = True

    def __init__(self, host, port):
        super().__init__((host, port), Handler)
        self.asked, self.keys, self.loads, self.answers, self.policy = [], [], 0, False, None
        self.orders, self.said = queue.Queue(), queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def order(self, code):
        """What the page got when it ran this."""
        self.orders.put(code)
        return self.said.get(timeout=PATIENCE_S)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def give(self, content, kind="application/json", code=200):
        with contextlib.suppress(OSError):
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if self.server.policy:
                self.send_header("Content-Security-Policy", self.server.policy)
            self.end_headers()
            self.wfile.write(content)

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        if self.path == "/order":
            self.give(json.dumps({"code": server.orders.get()}).encode())
        elif self.path == "/healthz":
            self.give(b"", code=200 if server.answers else 503)
        elif self.path == "/":
            server.orders, server.said, server.keys = queue.Queue(), queue.Queue(), []  # what was before belongs to the page before
            server.loads += 1
            self.give(HOSTILE, "text/html")
        else:
            self.give(b"", code=404)

    def do_POST(self):
        what = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        (self.server.keys.append if self.path == "/key" else self.server.said.put)(what)
        self.give(b"{}")


def environment_of_unit():
    lines = re.findall(r"^Environment=(.*)$", UNIT.read_text(), re.M)
    return dict(word.split("=", 1) for line in lines for word in line.split())


def commands():
    """What runs as the kiosk's user: process and command line."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if path.stat().st_uid == UID:
                found[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return found


def browsers():
    return {pid: line for pid, line in commands().items() if "--kiosk" in line and "--type=" not in line and "/chromium " in line}


def xdotool(*words):
    subprocess.run(["xdotool", *map(str, words)], check=True, timeout=PATIENCE_S)


def press(*keys):
    codes = [CODES.get(key, key) for key in keys]
    xdotool(*(word for code in codes for word in ("keydown", code)), *(word for code in reversed(codes) for word in ("keyup", code)))


class Escape(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="lm-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.page, cls.other = Server("127.0.0.1", 8603), Server("127.0.0.1", 8604)
        cls.screen = folder / "Xvfb_screen0"
        read, write = os.pipe()
        xvfb = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-fbdir", folder, "-nolisten", "tcp", "-ac"],
                                pass_fds=[write], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(xvfb.wait, 20)
        cls.addClassCleanup(xvfb.kill)
        os.close(write)
        os.environ["DISPLAY"] = ":" + os.read(read, 16).decode().strip()
        settings = environment_of_unit() | {"PATH": os.environ["PATH"], "DISPLAY": os.environ["DISPLAY"], "WLR_BACKENDS": "x11", "WLR_RENDERER": "pixman",
                     "LM_KIOSK_PAUSE_S": "1", "LM_KIOSK_BLANK_S": "4", "LM_KIOSK_BLANK": f"touch {RUN}/dark", "LM_KIOSK_WAKE": f"rm {RUN}/dark"}
        cls.log = folder / "log"
        command = re.search(r"^ExecStart=(.*)$", UNIT.read_text(), re.M)[1].split()
        with open(cls.log, "wb") as log:
            cage = subprocess.Popen([*AS_KIOSK, *command], env=settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        cls.addClassCleanup(cage.wait, 20)
        cls.addClassCleanup(cage.kill)
        until(lambda: any("sorry.html#service" in line for line in browsers().values()), "it says that the daemon does not answer")
        cls.page.answers = True
        cls.arrives(0)

    @classmethod
    def arrives(cls, loads):
        """The page is there, after the first `loads`, and hears keys and hands: when it asked for its orders it did not stand on the screen yet."""
        until(lambda: cls.page.loads > loads, "the page is there")
        cls.page.order("1")

        def hears():
            xdotool("mousemove", 400, 300, "mousemove", 500, 400)  # keys go to the window below it
            press("F23")
            return {"F23", "moved"} <= {key for key, _ in cls.page.keys}
        until(hears, "the page hears")

    def heard(self, act, count=1):
        """What the page hears of an act."""
        before = len(self.page.keys)
        act()
        until(lambda: len(self.page.keys) >= before + count, "the page hears it")
        return self.page.keys[before:]

    def picture(self):
        """What is on the screen, once it stands still."""
        def look():
            return hashlib.sha256(self.screen.read_bytes()).hexdigest()

        def still():
            seen = look()
            time.sleep(0.4)
            return look() == seen and seen
        return until(still, "the screen stands still")

    @contextlib.contextmanager
    def nothing_happens(self):
        loads, running, picture = self.page.loads, set(browsers()), self.picture()
        yield
        self.assertEqual("1", self.page.order("1"), "the page is gone")
        self.assertEqual((loads, running, picture), (self.page.loads, set(browsers()), self.picture()))
        self.assertEqual([], self.other.asked)

    def test_1_keys(self):
        with self.nothing_happens():
            for key in REFUSED:
                self.assertEqual([["F13", False]], self.heard(lambda key=key: press(key)), key)
            for key in ("Escape", "F10"):
                self.assertEqual([["Shift", False], ["F13", False]], self.heard(lambda key=key: press("shift", key), 2), key)
            for key in LET_THROUGH:
                self.assertEqual([[key, False]], self.heard(lambda key=key: press(key)))

    def test_2_mouse(self):
        shape = self.page.order("[devicePixelRatio, visualViewport.scale, innerWidth, innerHeight]")
        self.assertRegex(shape, ",1024,768$", "the page does not fill the screen")
        with self.nothing_happens():
            xdotool("click", 8, "click", 9)  # back and forward: not even the page hears of them
            for name, button in (("button1", 2), ("button2", 3)):  # middle and right
                self.assertEqual([[name, False]], self.heard(lambda button=button: xdotool("click", button)))
            xdotool("mousedown", 1, "mousemove", 2, 2, "sleep", 0.2, "mouseup", 1)
            xdotool("mousemove", 500, 0, "mousemove", 500, 767, "mousemove", 500, 400)
        self.assertEqual(shape, self.page.order("[devicePixelRatio, visualViewport.scale, innerWidth, innerHeight]"))

    def test_3_windows_after_a_press(self):
        """A press lets a page do more. Under the terminal's own header it opens nothing, asks nothing and stores nothing."""
        loads, self.page.policy = self.page.loads, SANDBOX
        self.page.order("setTimeout(() => location.reload(), 100)")
        self.arrives(loads)
        self.heard(lambda: xdotool("click", 1))
        with self.nothing_happens():
            self.assertEqual("true", self.page.order("navigator.userActivation.hasBeenActive"))
            for address in ("/", "about:blank", ELSEWHERE):
                self.assertEqual("null", self.page.order(f"window.open({address!r})"), address)
            self.assertEqual("false", self.page.order("confirm('x')"))
            self.page.order(STEAL)
        self.assertEqual([], list(RUN.rglob("stolen*")))

    def comes_back(self, act, why):
        """What the person before left is gone, whatever ends the browser or its page."""
        self.page.order("localStorage.a = document.cookie = 'name=resident; max-age=9999'")
        self.assertIn("resident", self.page.order("document.cookie + localStorage.a"))
        loads, seen = self.page.loads, set()

        def is_back():
            seen.update(re.findall(r"sorry\.html#(\w+)", " ".join(browsers().values())))
            return self.page.loads > loads
        act()
        until(is_back, f"it is back: {why}")
        self.assertEqual({"browser"}, seen, "it says what happened")
        self.arrives(loads)
        self.assertEqual("undefined", self.page.order("document.cookie + localStorage.a"))
        self.assertEqual(1, len(browsers()))
        self.assertEqual([], self.other.asked)

    def test_4_killed(self):
        def pages():
            return [pid for pid, line in commands().items() if "--type=renderer" in line and "--top-chrome-webui" not in line]
        for victims in (browsers, pages):
            def kill(victims=victims):
                for pid in [*victims()]:
                    os.kill(pid, 9)
            self.assertEqual(1, len(victims()), victims)
            self.comes_back(kill, f"killed {victims.__name__}")

    def test_6_ctrl_although_the_map_has_none(self):
        """On a screen of X it is X that says what Ctrl is, whatever the map says: so this is what holds where the map fails."""
        with self.nothing_happens():
            for keys in ("ctrl o", "ctrl p", "ctrl s", "ctrl l", "ctrl d", "ctrl shift n"):
                press(*keys.split())
        self.comes_back(lambda: press("ctrl", "t"), "another page stood beside it")

    @in_full
    def test_7_more_that_opens_a_page(self):
        for keys in ("ctrl n", "ctrl h", "ctrl w"):
            self.comes_back(lambda keys=keys: press(*keys.split()), keys)

    def test_0_a_hostile_page(self):
        until(lambda: self.page.order("navigator.userActivation.isActive") == "false", "the keys before no longer count as a press")
        with self.nothing_happens():
            for address in (ELSEWHERE, "file:///etc/passwd", "chrome://settings", "view-source:" + ELSEWHERE, "chrome-extension://a/b"):
                self.assertEqual("null", self.page.order(f"window.open({address!r})"), address)
            for address in (ELSEWHERE, "mailto:a@b.example", "tel:110", "file:///etc/passwd", "intent://x"):
                self.page.order("{ const f = document.createElement('iframe'); f.style.cssText = 'position:absolute;left:-9999px';"
                                f" f.src = {address!r}; document.body.append(f); }}")
            self.page.order("new Promise((done) => setTimeout(done, 500))\n"
                            ".then(() => document.querySelectorAll('iframe').forEach((f) => f.remove()))")  # Tab would go into them
            self.assertEqual("TypeError", self.page.order(f"fetch({ELSEWHERE!r}, {{ mode: 'no-cors' }})"))
            self.page.order(STEAL)
            self.page.order("print()")
            self.page.order("{ const i = document.createElement('input'); i.type = 'file'; i.click(); }")
        self.assertEqual([], list(RUN.rglob("stolen*")))
        for code, answer in (
                ("navigator.permissions.query({ name: 'camera' }).then((p) => p.state)", "denied"),
                ("new Promise((done) => navigator.geolocation.getCurrentPosition(done, (e) => done('error ' + e.code)))", "error 1"),
                ("Notification.requestPermission()", "denied"),
                ("navigator.clipboard.readText()", "NotAllowedError"),
                ("navigator.usb.requestDevice({ filters: [] })", "SecurityError")):
            self.assertEqual(answer, self.page.order(code), code)

    def test_5_dark_and_light(self):
        until((RUN / "dark").exists, "the screen is darkened")
        press("F18")
        until(lambda: not (RUN / "dark").exists(), "a key lights it")


class Policies(unittest.TestCase):
    def rows(self, policies):
        """What chrome://policy says of each. It can be read only without the three that forbid it."""
        kept = MANAGED / "last-mile.json"
        before = kept.read_text()
        self.addCleanup(kept.write_text, before)
        kept.write_text(json.dumps(policies))
        profile = tempfile.mkdtemp(dir=RUN)
        os.chown(profile, UID, UID)
        ours, theirs = os.pipe(), os.pipe()
        line = (f"exec 3<&{ours[0]} 4>&{theirs[1]}; exec chromium --headless --remote-debugging-pipe --no-first-run --disable-gpu "
                f"--user-data-dir={profile} about:blank")
        browser = subprocess.Popen([*AS_KIOSK, "bash", "-c", line], env={"PATH": os.environ["PATH"], "HOME": profile},
                                   pass_fds=[ours[0], theirs[1]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(browser.wait, 20)
        self.addCleanup(browser.kill)
        os.close(ours[0])
        os.close(theirs[1])
        answers = os.fdopen(theirs[0], "rb")
        self.addCleanup(answers.close)
        heard = bytearray()

        def call(method, session=None, **words):
            os.write(ours[1], json.dumps({"id": 1, "method": method, "params": words} | ({"sessionId": session} if session else {})).encode() + b"\0")
            while True:
                while b"\0" not in heard:
                    got = answers.read1(65536)
                    self.assertTrue(got, f"the browser ended at {method}")
                    heard.extend(got)
                one, _, rest = bytes(heard).partition(b"\0")
                heard[:] = rest
                if json.loads(one).get("id") == 1:
                    return json.loads(one)["result"]
        target = call("Target.createTarget", url="chrome://policy")["targetId"]
        session = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        code = """(() => { const found = {}; const walk = (n) => { if (n.matches?.('policy-row')) {
            const r = n.shadowRoot ?? n; const t = (s) => r.querySelector(s)?.textContent.trim() ?? '';
            if (t('.name')) found[t('.name')] = [t('.messages'), t('.value')]; }
            for (const c of [...(n.shadowRoot?.children ?? []), ...(n.children ?? [])]) walk(c); };
            walk(document.documentElement); return JSON.stringify(found); })()"""
        rows = until(lambda: json.loads(call("Runtime.evaluate", session, expression=code)["result"].get("value", "{}")), "rows of chrome://policy")
        os.close(ours[1])
        return rows

    def test_chromium_knows_them_all(self):
        policies = json.loads((KIOSK / "policies.json").read_text())
        asked = {name: value for name, value in policies.items()
                 if name not in ("DeveloperToolsAvailability", "RemoteDebuggingAllowed", "URLBlocklist")}
        asked |= {"URLBlocklist": ["no.example"], "LastMileKnowsNoSuchThing": True}
        rows = {name: row for name, row in self.rows(asked).items() if row[1]}  # the others are not set
        self.assertEqual(sorted(asked), sorted(rows))
        self.assertRegex(rows.pop("LastMileKnowsNoSuchThing")[0], "Error")
        said = {name: words for name, (words, _) in rows.items() if re.search(r"(?i)unknown|error|ignored|invalid|not supported|deprecated", words)}
        self.assertEqual({}, said)

    @in_full
    def test_nobody_looks_in_from_outside(self):
        done = subprocess.run([*AS_KIOSK, "timeout", "8", "chromium", "--headless", "--remote-debugging-port=9222", f"--user-data-dir={RUN}/outside",
                               "--disable-gpu", "about:blank"], env={"PATH": os.environ["PATH"], "HOME": str(RUN)}, capture_output=True, text=True)
        self.assertNotIn("DevTools listening", done.stderr)
        self.assertIn("DevTools remote debugging is disallowed", done.stderr)


class Usb(unittest.TestCase):
    def test_only_what_is_listed_is_let_in(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="lm-"))
        self.addCleanup(shutil.rmtree, folder)
        devices = {"1-1": "05e3:0608", "1-1.2": "2047:09d0", "1-1.3": "2047:09d0", "1-2": "0781:5567"}
        for name, ids in devices.items():
            (folder / "devices" / name).mkdir(parents=True)
            for file, word in zip(("idVendor", "idProduct", "authorized"), (*ids.split(":"), "0")):
                (folder / "devices" / name / file).write_text(word + "\n")
        (folder / "devices/1-1:1.0").mkdir()  # an interface, no device
        names = os.environ | {"LM_USB_DEVICES": f"{folder}/devices", "LM_USB_LIST": f"{folder}/list"}

        def usb(*words):
            return subprocess.run([KIOSK / "usb", *words], env=names, capture_output=True, text=True, timeout=20)

        def let_in():
            for name in devices:
                usb("check", name)
            return {name for name in devices if (folder / "devices" / name / "authorized").read_text().strip() == "1"}
        self.assertEqual(set(), let_in(), "without a list nothing is let in")
        self.assertEqual("".join(f"{ids} {name}\n" for name, ids in devices.items()), usb("list").stdout)
        (folder / "list").write_text("05e3:0608 1-1\n2047:09d0 1-1.2  # keypad\n")
        self.assertEqual({"1-1", "1-1.2"}, let_in())
        (folder / "devices/1-1.2/idProduct").write_text("0001\n")  # another one where the keypad was
        self.assertEqual({"1-1"}, let_in())
        self.assertEqual(2, usb("check", "../../x").returncode)


class Keys(unittest.TestCase):
    def test_there_is_no_key_but_those_named(self):
        """As cage's library reads it. With real keys Ctrl cannot be tried here: on a screen of X it is X that says what Ctrl is."""
        library = ctypes.CDLL("libxkbcommon.so.0")
        for name, kind in (("xkb_context_new", ctypes.c_void_p), ("xkb_keymap_new_from_names", ctypes.c_void_p),
                           ("xkb_keymap_get_as_string", ctypes.c_char_p)):
            getattr(library, name).restype = kind
        os.environ.update(environment_of_unit())
        keymap = library.xkb_keymap_new_from_names(ctypes.c_void_p(library.xkb_context_new(0)), None, 0)
        self.assertTrue(keymap, "it is no keymap")
        text = library.xkb_keymap_get_as_string(ctypes.c_void_p(keymap), 1).decode()
        text = text[text.index("xkb_symbols"):]
        self.assertEqual(["Shift { <LFSH>, <RTSH> }"], re.findall(r"modifier_map (.*);", text))
        symbols = {word for keys in re.findall(r"key <\S+>\s*\{[^[]*\[([^]]*)\]", text) for word in re.split(r"[,\s]+", keys) if word}
        self.assertLess({"a", "Z", "7", "Tab", "F13", "F18", "F24"}, symbols)
        self.assertEqual(set(), {word for word in symbols if re.match(
            r"F([1-9]|1[0-2])$|(Control|Alt|Meta|Super|Hyper)_|XF86(?!Audio(Raise|Lower)Volume)|Escape|Menu|Print|Sys_Req|Multi_key|ISO_Level", word)})


class Units(unittest.TestCase):
    def test_systemd_understands_it(self):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", UNIT], capture_output=True, text=True)
        self.assertEqual((0, ""), (done.returncode, done.stderr))


def lay_out():
    """Installs the kiosk into mounts that only this test sees."""
    def mount(*words):
        subprocess.run(["mount", *map(str, words)], check=True)

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    pathlib.Path("/tmp/.X11-unix").mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", "mode=1777", "x11", "/tmp/.X11-unix")
    for folder, target in ((INSTALLED, "/usr/local/share"), (MANAGED, "/etc/chromium"), (RUN, "/run")):
        mount("-t", "tmpfs", "-o", "mode=755", "kiosk", target)
        folder.mkdir(parents=True)
    os.chown(RUN, UID, UID)
    RUN.chmod(0o700)
    mount("--bind", KIOSK, INSTALLED)
    shutil.copy(KIOSK / "policies.json", MANAGED / "last-mile.json")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("it makes mounts and a user of its own: only root can\n0 passed, 0 failed, 1 skipped")
    elif "LM_KIOSK_INSIDE" in os.environ:
        lay_out()
        report.main()
    else:
        os.environ["LM_KIOSK_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, __file__])
