# SPDX-License-Identifier: Apache-2.0
"""The real `mysos` for tests: starts it, speaks to it over HTTP and by its command line, finds its processes. Every wait is
for a condition and has a deadline; what a wait that failed last saw is in its message."""
import contextlib
import json
import os
import pathlib
import pwd
import signal
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("MYSOS_BINARY") or ROOT / "build" / "release" / "mysos")
MYSQL9 = ROOT / "build" / "mysql9"
START_SECONDS = 20
CREATE_SECONDS = 120
HEAL_SECONDS = 90
SMALL = {"cpus": 0.2, "mem": "512MB", "disk": "1GB"}


def wait_for(what, condition, seconds, pause=0.05):
    """The first true value of condition(); connection errors count as "not yet"."""
    end = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, urllib.error.URLError) as error:
            last = error
        assert time.monotonic() < end, f"{what}: not within {seconds} s; last seen: {last!r}"
        time.sleep(pause)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:2000]!r}"


class Client:
    """The API of one `mysos`."""

    def __init__(self, url, token, patience=CREATE_SECONDS):
        self.url, self.token, self.patience = url, token, patience

    def request(self, method, path, body=None, token=True, headers=None, timeout=None):
        given = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            given.setdefault("Content-Type", "application/json")
        if token:
            given["Authorization"] = f"Bearer {self.token if token is True else token}"
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=given)
        try:
            with urllib.request.urlopen(request, timeout=timeout or self.patience) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.request("POST", path, body, **kw)

    def delete(self, path, **kw):
        return self.request("DELETE", path, **kw)

    def cluster(self, name):
        answer = self.get(f"/v1/clusters/{name}")
        assert answer.status == 200, answer
        return answer.json

    def clusters(self):
        answer = self.get("/v1/clusters").json
        return answer if isinstance(answer, list) else answer["clusters"]

    def events(self, name=None):
        answer = self.get(f"/v1/clusters/{name}/events" if name else "/v1/events",
                          headers={"Accept": "application/json"}).json
        return answer if isinstance(answer, list) else answer["events"]

    def version_named(self, prefix):
        """The full name of the version that starts so, e.g. mysql-9.7 for mysql-9."""
        answer = self.get("/v1/versions").json
        names = [v["name"] for v in (answer if isinstance(answer, list) else answer["versions"])]
        found = [n for n in names if n.startswith(prefix)]
        assert found, f"no version {prefix} among {names}"
        return found[0]

    def create(self, name, version, members=3, **more):
        body = dict(SMALL, name=name, members=members, version=self.version_named(version), **more)
        answer = self.post("/v1/clusters", body)
        assert answer.status in (201, 202), answer
        self.wait_state(name, "healthy", CREATE_SECONDS)
        return answer.json

    def wait_state(self, name, state, seconds=HEAL_SECONDS):
        return wait_for(f"the cluster {name} is {state}",
                        lambda: _only_if(self.cluster(name), lambda c: c["state"] == state), seconds)

    def remove(self, name):
        answer = self.delete(f"/v1/clusters/{name}")
        assert answer.status in (200, 202, 204), answer
        wait_for(f"{name} is gone", lambda: self.get(f"/v1/clusters/{name}").status == 404, HEAL_SECONDS)

    def credentials(self, name):
        answer = self.get(f"/v1/clusters/{name}/credentials")
        assert answer.status == 200, answer
        return answer.json


class _Waiting:
    """False, but shows in a failed wait what was seen."""

    def __init__(self, seen):
        self.seen = seen

    def __bool__(self):
        return False

    def __repr__(self):
        return repr(self.seen)


def _only_if(value, condition):
    return value if condition(value) else _Waiting(value)


def member(cluster, role):
    """The one member with that role."""
    found = [m for m in cluster["members"] if m["role"] == role]
    assert len(found) == 1, cluster
    return found[0]


def user_flags(given=()):
    """Whom servers are to run as where tests run as root and nobody has made a user for them: ./test makes one."""
    if os.geteuid() != 0 or any(flag.startswith("--mysql-user") for flag in given):
        return []
    for name in ("mysql", "mysos"):
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return []
    return ["--mysql-user=nobody"]


class Up:
    """`mysos up` on a directory; can be killed and started again on it."""

    def __init__(self, folder, *flags, agents=3, roots=("/", str(MYSQL9)), environment=None, prefix=()):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.flags = [f"--agents={agents}", *[f"--mysql-root={r}" for r in roots], *user_flags(flags), *flags]
        self.environment = dict(os.environ, **(environment or {}))
        for name in ("MYSOS_URL", "MYSOS_TOKEN", "MYSOS_TOKEN_FILE", "MYSOS_DIR"):
            self.environment.pop(name, None)
        self.prefix = list(prefix)
        self.process = None
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.folder.parent / f"{self.folder.name}.log"

    def command(self, *arguments):
        return [*self.prefix, str(BINARY), *arguments]

    def spawn(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command("up", f"--dir={self.folder}", f"--port={self.port}", *self.flags), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self.environment, start_new_session=True)

    def start(self):
        self.spawn()
        wait_for(f"mysos up answers (its log: {self.log_tail()!r})", self._answers, START_SECONDS, pause=0.01)
        return self

    def _answers(self):
        code = self.process.poll()
        assert code is None, f"mysos up ended with {code}: {self.log_tail()}"
        return Client(self.url, "").get("/healthz", token=False, timeout=5).status == 200

    def log_tail(self, size=3000):
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    @property
    def token_file(self):
        return self.folder / "admin.token"

    @property
    def client(self):
        mode = stat.S_IMODE(self.token_file.stat().st_mode)
        assert mode == 0o600, f"{self.token_file} has mode {mode:o}"
        return Client(self.url, self.token_file.read_text(encoding="utf-8").strip())

    def cli(self, *arguments, token=None, timeout=CREATE_SECONDS + 30, stdin=""):
        environment = dict(self.environment, MYSOS_URL=self.url, MYSOS_TOKEN=token or self.client.token)
        return subprocess.run(self.command(*arguments), input=stdin, capture_output=True, text=True, env=environment,
                              timeout=timeout, check=False)

    def kill(self):
        """SIGKILL for the scheduler and the embedded Mesos; what they started lives on."""
        self.process.kill()
        self.process.wait(10)

    def stop(self, seconds=60):
        """SIGTERM, as Ctrl-C does it; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def close(self):
        """The end of a test: nothing that it started is left."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop(30)
            self.process.kill()
            self.process.wait(10)
        for pid in processes_under(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for("its processes are gone", lambda: not processes_under(self.folder), 20)


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def processes_under(folder):
    """{pid: command line} of the processes that live in the folder: by their working directory or their arguments."""
    folder = str(pathlib.Path(folder).resolve())
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            where = os.readlink(f"/proc/{entry}/cwd")
            state = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        line = command_line(entry)
        if state != "Z" and line and ((where + "/").startswith(folder + "/") or folder + "/" in line + "/"):
            found[int(entry)] = line
    return found


def servers(folder):
    """{port: pid} of the mysqld and mariadbd that live in the folder, by the port for clients: the lowest they listen on."""
    found = {}
    for pid, line in processes_under(folder).items():
        program = line.split()[0].rsplit("/", 1)[-1]
        if program in ("mysqld", "mariadbd"):
            ports = listening_ports(pid)
            if ports:
                found[min(ports)] = pid
    return found


def executors(folder):
    """pids of the `mysos executor` processes that live in the folder."""
    return [pid for pid, line in processes_under(folder).items()
            if line.split()[0].endswith("/mysos") and " executor" in line]


def executor_of(folder, at):
    """pid of the executor of that member."""
    found = [pid for pid in executors(folder) if at["api_port"] in listening_ports(pid)]
    assert len(found) == 1, found
    return found[0]


def listening_ports(pid):
    inodes = set()
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    except OSError:
        return []
    ports = []
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # it has ended
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as lines:  # of its own network
                for line in list(lines)[1:]:
                    fields = line.split()
                    if fields[3] == "0A" and fields[9] in inodes:
                        ports.append(int(fields[1].rsplit(":", 1)[1], 16))
    return ports
