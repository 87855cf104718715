#!/usr/bin/env python3
"""As it is installed: nginx in front of the pages, units for systemd, rules for Prometheus."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

NAME = "desk.example.org"


def run(*words, **kwargs):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, **kwargs)


class Front:
    """nginx on loopback with a certificate of its own, in front of one daemon."""

    def __init__(self, case, node, collector="127.0.0.1"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lm-nginx-"))
        case.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.http_port, self.https_port = lm.free_port(), lm.free_port()
        self.certificate = self.folder / "certificate.pem"
        made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
                   "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", self.folder / "key.pem",
                   "-out", self.certificate)
        case.assertEqual(0, made.returncode, made.stderr)
        site = run(lm.TOP / "deploy/nginx/fill", "--name", NAME, "--daemon", node.http_address, "--certificate", self.certificate,
                   "--key", self.folder / "key.pem", "--http-port", self.http_port, "--https-port", self.https_port,
                   "--collector", collector)
        case.assertEqual(0, site.returncode, site.stderr)
        (self.folder / "site.conf").write_text(site.stdout)
        paths = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            ("user root;\n" if os.geteuid() == 0 else "") +  # the folder is ours alone
            f"daemon off;\nworker_processes 1;\npid {self.folder}/pid;\nevents {{ worker_connections 512; }}\n"
            f"http {{\n{paths}include {self.folder}/site.conf;\n}}\n")
        self.log = open(self.folder / "log", "wb")
        case.addCleanup(self.log.close)
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", self.folder, "-e", "stderr", "-c", self.folder / "nginx.conf"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        case.addCleanup(self.process.wait, 20)
        case.addCleanup(self.process.terminate)
        lm.wait_until(lambda: not lm.port_is_free(self.https_port) or self.process.poll() is not None, what="nginx listens")
        case.assertIsNone(self.process.poll(), (self.folder / "log").read_text())

    def curl(self, path, *words, scheme="https", name=NAME):
        port = self.https_port if scheme == "https" else self.http_port
        return run("curl", "-sS", "--http2", "--cacert", self.certificate, "--max-time", 20, "--resolve", f"{name}:{port}:127.0.0.1",
                   "-c", self.folder / "cookies", "-b", self.folder / "cookies", *words, f"{scheme}://{name}:{port}{path}").stdout

    def stream(self, path, word):
        """What a stream of events says, until it says this."""
        curl = subprocess.Popen(["curl", "-sSN", "--http2", "--cacert", self.certificate, "--max-time", "60", "--resolve",
                                 f"{NAME}:{self.https_port}:127.0.0.1", "-b", self.folder / "cookies", self.origin + path],
                                stdout=subprocess.PIPE, text=True)
        said = ""
        while word not in said and (line := curl.stdout.readline()):
            said += line
        curl.kill()
        curl.communicate()
        return said

    def status(self, path, *words, **kwargs):
        """Status and version of the answer."""
        return self.curl(path, "-o", "/dev/null", "-w", "%{http_code} %{http_version}", *words, **kwargs)

    def head(self, path, *words):
        """Headers of the answer, as often as they stand there."""
        lines = self.curl(path, "-D", "-", "-o", "/dev/null", *words).splitlines()
        return [tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line]

    @property
    def origin(self):
        return f"https://{NAME}:{self.https_port}"


class Nginx(lm.Case):
    def setUp(self):
        district = self.lay_out(towns=())
        self.hub = district.hub
        self.hub.start().wait_ready()
        district.open_accounts(self.hub)
        self.front = Front(self, self.hub, collector="192.0.2.9")
        self.hub.settings["public_name"] = self.front.origin.removeprefix("https://")
        self.hub.restart()
        self.login = json.dumps({"name": "operator1", "password": district.passwords["operator1"]})

    def post(self, path, body, *words):
        return ("-X", "POST", "-H", "Content-Type: application/json", "-H", f"Origin: {self.front.origin}", "-d", body, *words)

    def test_pages_over_tls(self):
        front = self.front
        self.assertEqual("403 2", front.status("/api/v1/me"))  # HTTP/2, and no session yet
        view = json.loads(front.curl("/api/v1/login", *self.post("", self.login)))
        self.assertEqual("operator1", view["user"])
        self.assertIn("\tTRUE\t0\tlm_hub\t", (front.folder / "cookies").read_text(), "the cookie is not Secure")
        self.assertEqual("200 2", front.status("/api/v1/me"))
        self.assertEqual("403 2", front.status("/api/v1/logout", "-X", "POST", "-H", "Content-Type: application/json", "-d", "{}",
                                               "-H", f"X-Lm-Csrf: {view['csrf']}", "-H", "Origin: https://evil.example"))

        # Events arrive as they happen: the first bytes at once, the hub's links every few seconds.
        said = front.stream("/api/v1/events", "event: links\n")
        self.assertRegex(said, r"^retry: 2000\n\n")
        self.assertIn("event: links\n", said)

        # The daemon's headers pass, each once; nginx adds that the name is only for TLS.
        direct = run("curl", "-sS", "-D", "-", "-o", "/dev/null", f"http://{self.hub.http_address}/api/v1/me").stdout
        through = front.head("/api/v1/me")
        names = [name.lower() for name, _ in through]
        for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy",
                     "Cross-Origin-Resource-Policy", "Cache-Control"):
            value = re.search(rf"^{name}: (.*?)\r?$", direct, re.M)[1]
            self.assertEqual([value], [v for n, v in through if n.lower() == name.lower()], name)
        self.assertEqual(1, names.count("strict-transport-security"))

        self.assertEqual(f"308 1.1 {front.origin}/?a=b",
                         front.curl("/?a=b", "-o", "/dev/null", "-w", "%{http_code} %{http_version} %{redirect_url}", scheme="http"))
        self.assertEqual("421", front.status("/api/v1/me", "-H", "Host: evil.example")[:3])
        self.assertEqual("404", front.status("/ctl/v1/status")[:3])
        for path in ("/metrics", "/readyz"):
            self.assertEqual("403", front.status(path)[:3], f"{path} is for the collector's address only")

        self.hub.stop()
        self.assertEqual("unreachable", json.loads(front.curl("/api/v1/me"))["error"]["code"])
        self.hub.start().wait_ready()

    def test_old_tls_is_refused(self):
        def speak(version):
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.front.https_port}", "-servername", NAME,
                                   version, "-cipher", "DEFAULT@SECLEVEL=0"], input="", capture_output=True, text=True, timeout=60)
            return done.returncode, done.stdout + done.stderr

        self.assertEqual(0, speak("-tls1_2")[0])
        code, said = speak("-tls1_1")
        self.assertNotEqual(0, code)
        self.assertIn("alert protocol version", said)

    def test_too_much_is_refused(self):
        front = self.front
        big = front.folder / "big"
        big.write_bytes(b"x" * (1024 * 1024))
        refused = json.loads(front.curl("/api/v1/login", *self.post("", f"@{big}", "-H", "Expect:")))
        self.assertEqual("too-big", refused["error"]["code"])

        wrong = json.dumps({"name": "nobody", "password": "示例"})
        front.curl("/api/v1/login?n=[1-30]", *self.post("", wrong), "-Z", "--max-time", 120, "-o", f"{front.folder}/answer-#1")
        answers = [json.loads((front.folder / f"answer-{n}").read_text())["error"] for n in range(1, 31)]
        self.assertEqual({"login", "too-many"}, {answer["code"] for answer in answers})
        self.assertTrue(any("from your network" in answer["text"] for answer in answers), "nginx does not limit logins")

        codes = front.curl("/api/v1/me?n=[1-400]", "-Z", "-o", "/dev/null", "-w", "%{http_code}\n").split()
        self.assertEqual({"403", "429"}, set(codes))
        self.assertGreater(codes.count("403"), 60)


class Units(unittest.TestCase):
    def test_exposure(self):
        for program in ("lm-hub", "lm-subcenter", "lm-terminal"):
            said = run("systemd-analyze", "security", "--no-pager", "--offline=true", lm.TOP / f"deploy/systemd/{program}.service").stdout
            self.assertLessEqual(float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1]), 1.5, said)

    def test_the_filter_lets_zeromq_start_its_threads(self):
        """It aborts when sched_setscheduler, one of @resources, is refused."""
        for unit in (lm.TOP / "deploy/systemd").glob("*.service"):
            filters = re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(), re.M)
            if "Type=notify" not in unit.read_text():
                continue  # no daemon
            self.assertGreater(filters.index("sched_setscheduler"), filters.index("~@privileged @resources"), unit.name)

    def test_systemd_understands_them(self):
        folder = tempfile.mkdtemp(prefix="lm-")
        self.addCleanup(shutil.rmtree, folder)
        for unit in sorted((lm.TOP / "deploy/systemd").glob("*.service")):
            copy = pathlib.Path(folder) / unit.name.replace("@.", "@lm-hub.")
            copy.write_text(unit.read_text().replace("/usr/local/bin/", f"{lm.BUILD}/")
                            .replace("/usr/local/share/last-mile/backup/", f"{lm.TOP}/deploy/backup/"))
            done = run("systemd-analyze", "verify", "--man=no", copy)
            self.assertEqual((0, ""), (done.returncode, done.stderr), unit.name)


class Rules(unittest.TestCase):
    def test_promtool_takes_the_rules_and_they_fire(self):
        folder = lm.TOP / "deploy/prometheus"
        self.assertIn("SUCCESS", run("promtool", "check", "rules", folder / "alerts.yml").stdout)
        done = run("promtool", "test", "rules", folder / "alerts_test.yml")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)


if __name__ == "__main__":
    report.main()
