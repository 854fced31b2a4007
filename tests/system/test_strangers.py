# SPDX-License-Identifier: Apache-2.0
"""What another user of the machine can do: nothing at any port without a secret, and no file. As root only, who alone can
become another user; and what becomes of a framework that somebody with the secret has torn down."""
import base64
import json
import os
import pathlib
import pwd
import re
import stat
import subprocess

import pytest
from conftest import Shop
from mysos_process import HEAL_SECONDS, Client, executors, listening_ports, processes_under, servers, wait_for

STRANGER = "daemon"  # is on every Debian, and runs no server here
PYTHON = "/usr/bin/python3"

# Sends what stdin lists, and prints the statuses; a port that speaks no HTTP gives 0.
ASK = """
import http.client, json, sys
out = []
for port, method, path, body, headers in json.load(sys.stdin):
    try:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        c.request(method, path, body=None if body is None else json.dumps(body),
                  headers={"Content-Type": "application/json", **headers})
        out.append(c.getresponse().status)
        c.close()
    except (OSError, http.client.HTTPException):
        out.append(0)
print(json.dumps(out))
"""
LOOK = """
import json, os, sys
print(json.dumps([name for name in json.load(sys.stdin) if os.access(name, os.R_OK)]))
"""

# What anybody may ask. It changes nothing: health, metrics and the roles that HAProxy's checks need, the page without data.
OPEN = {
    "api": {"/", "/app.js", "/style.css", "/icon.svg", "/healthz", "/readyz", "/metrics", "/v1/openapi.json"},
    "member": {"/healthz", "/metrics", "/primary", "/replica"},
    "router": {"/healthz", "/metrics", "/status"},
    "mesos": set(),
}
REFUSED = {400, 401, 404, 405}


def as_stranger(program, given):
    who = pwd.getpwnam(STRANGER)
    ran = subprocess.run([PYTHON, "-c", program], input=json.dumps(given), capture_output=True, text=True, timeout=120,
                         check=True, user=who.pw_uid, group=who.pw_gid, extra_groups=[], cwd="/")
    return json.loads(ran.stdout)


def ports_of(up):
    """{port: what listens there} of everything that `mysos up` has started."""
    database = {p for pid in servers(up.folder).values() for p in listening_ports(pid)}
    members = {p for pid in executors(up.folder) for p in listening_ports(pid)}
    found = {}
    for pid, line in {**processes_under(up.folder), up.process.pid: "mysos up"}.items():
        for port in listening_ports(pid):
            if port in database or "haproxy" in line.split()[0]:
                found[port] = "sql"
            elif port in members:
                found[port] = "member"
            elif " router " in line:
                found[port] = "router"
            else:
                found[port] = "api" if port == up.port else "mesos"
    return found


def credential(up):
    return "mysos", (up.folder / "mesos" / "secret").read_text(encoding="utf-8").strip()


def ask_master(up, body, who=None):
    port = json.loads((up.folder / "mesos" / "ports.json").read_text(encoding="utf-8"))[0]
    given = {"Authorization": "Basic " + base64.b64encode(":".join(who).encode()).decode()} if who else {}
    return Client(f"http://127.0.0.1:{port}", "").post("/api/v1", body, token=False, headers=given)


def framework(up):
    answer = ask_master(up, {"type": "GET_FRAMEWORKS"}, credential(up))
    [only] = answer.json["get_frameworks"]["frameworks"]
    return only["framework_info"]["id"]["value"]


def requests_to(port, ids):
    framework_id, executor_id, agent_id = ({"value": i} for i in ids)
    info = {"user": "root", "name": "x", "roles": ["mysos"], "capabilities": [{"type": "MULTI_ROLE"}]}
    scheduler = [{"type": "SUBSCRIBE", "subscribe": {"framework_info": info}},
                 {"type": "TEARDOWN", "framework_id": framework_id},
                 {"type": "ACCEPT", "framework_id": framework_id, "accept": {"offer_ids": [], "operations": []}},
                 {"type": "SHUTDOWN", "framework_id": framework_id,
                  "shutdown": {"executor_id": executor_id, "agent_id": agent_id}}]
    operator = [{"type": "TEARDOWN", "teardown": {"framework_id": framework_id}},
                {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": agent_id}}, {"type": "GET_FRAMEWORKS"}]
    executor = [{"type": kind, "framework_id": framework_id, "executor_id": executor_id} for kind in ("SUBSCRIBE", "MESSAGE")]
    for prefix in ("", "/master"):
        yield from ((port, "POST", prefix + "/api/v1/scheduler", body, {}) for body in scheduler)
        yield from ((port, "POST", prefix + "/api/v1", body, {}) for body in operator)
    for prefix in ("", "/slave(1)"):
        yield from ((port, "POST", prefix + "/api/v1/executor", body, {}) for body in executor)
    for path in ("/", "/state", "/master/state", "/flags", "/healthz", "/readyz", "/status", "/metrics", "/primary", "/replica",
                 "/v1/status", "/v1/watch", "/v1/snapshot", "/v1/clusters", "/v1/clusters/shop/credentials", "/v1/events",
                 "/v1/agents", "/v1/openapi.json"):
        yield port, "GET", path, None, {}
    for path in ("/v1/register", "/v1/clusters", "/v1/clusters/shop/failover", "/v1/fence", "/v1/promote", "/v1/setup",
                 "/clusters/shop"):
        yield port, "POST", path, {}, {}
    yield port, "DELETE", "/v1/clusters/shop", None, {}


@pytest.fixture(scope="module")
def shop(up):
    return Shop(up.client, "mariadb-10.11")


def ids_of(up):
    files = [p for p in (up.folder / "mesos").glob("agent-*/agent.json")]
    states = [json.loads(p.read_text(encoding="utf-8")) for p in files]
    state = next(s for s in states if s["executors"])
    executor = state["executors"][0]
    return executor["framework"], executor["info"]["executor"]["executor_id"]["value"], state["id"]


def test_no_port_does_anything_without_its_secret(up, shop):
    before, framework_id, processes = shop.show(), framework(up), servers(up.folder)
    ports = ports_of(up)
    kinds = sorted(ports.values())
    assert kinds.count("api") == 1 and kinds.count("member") == 3 and kinds.count("mesos") == 4, ports
    assert kinds.count("sql") >= 3, ports
    asked = [r for port in ports for r in requests_to(port, ids_of(up))]

    answers = as_stranger(ASK, asked)

    wrong = []
    for (port, method, path, body, _), status in zip(asked, answers):
        kind = ports[port]
        if kind == "sql":
            fine = status == 0  # MySQL's own protocol
        elif method == "GET" and path in OPEN[kind]:
            fine = status in (200, 503)
        elif kind == "mesos":
            fine = status in (401, 404)
        else:
            fine = status in REFUSED
        if not fine:
            wrong.append((kind, method, path, body, status))
    assert not wrong, wrong
    assert framework(up) == framework_id and servers(up.folder) == processes
    assert shop.healthy()["epoch"] == before["epoch"]
    assert not [e for e in up.client.events() if e["kind"] in ("framework_removed", "cluster_deleting")]


def test_who_guesses_the_secret_of_mesos_is_refused(up, shop):
    by_operator = {"type": "TEARDOWN", "teardown": {"framework_id": {"value": framework(up)}}}
    for who in (None, ("mysos", "guessed"), ("mysos", ""), ("root", credential(up)[1])):
        answer = ask_master(up, by_operator, who)
        assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Basic"), answer
    assert shop.show()["state"] == "healthy"


def test_no_file_of_the_databases_can_be_read(up, shop):
    shop.ledger().prepare()
    names = [str(p) for p in up.folder.rglob("*") if "templates" not in p.parts and not p.is_symlink()]
    assert len(names) > 300
    readable = as_stranger(LOOK, names)
    assert set(readable) <= {str(up.folder / "api.url")}, readable  # where the API is, for clients without a token too
    for data in up.folder.rglob("mysql/data"):
        assert stat.S_IMODE(data.stat().st_mode) == 0o700, data


def test_an_executors_token_goes_to_no_server(up, shop):
    for pid in servers(up.folder).values():
        environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        assert b"AUTHENTICATION_TOKEN" not in environment
    for pid in executors(up.folder):
        assert b"MESOS_EXECUTOR_AUTHENTICATION_TOKEN=" in pathlib.Path(f"/proc/{pid}/environ").read_bytes()


def test_a_crash_writes_no_memory_to_a_file(up, shop):
    for pid in executors(up.folder) + list(servers(up.folder).values()):
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE), limits


def torn_down(up):
    answer = ask_master(up, {"type": "TEARDOWN", "teardown": {"framework_id": {"value": framework(up)}}}, credential(up))
    assert answer.status == 200, answer
    wait_for("the removal is told", lambda: not_ready(up), HEAL_SECONDS)


def not_ready(up):
    answer = up.client.get("/readyz", token=False)
    return answer.status == 503 and "mysos register" in answer.json["mesos_problem"]


@pytest.mark.parametrize("restarted", (False, True))
def test_after_a_teardown_it_reads_and_registers_anew(own_up, restarted):
    up = own_up()
    shop = Shop(up.client, "mariadb-10.11")
    shop.ask("create database kept")
    shop.ask("create table kept.t (id int primary key)")
    shop.ask("insert into kept.t values (1), (2)")
    volumes = {p for p in up.folder.glob("mesos/agent-*/volumes/roles/*/*")}
    torn_down(up)
    if restarted:
        assert up.stop() == 0
        up.start()
        wait_for("the removal is told again", lambda: not_ready(up), HEAL_SECONDS)

    seen = shop.show()
    assert "mysos register" in seen["waiting_for"] and all(m["agent"] for m in seen["members"]), seen
    assert up.client.credentials("shop")["password"] == shop.password
    for refused in (up.client.delete("/v1/clusters/shop"), up.client.post("/v1/clusters", {"name": "other"}),
                    up.client.post("/v1/clusters/shop/failover", {})):
        assert refused.status == 503 and "mysos register" in refused.json["detail"], refused
    metrics = up.client.get("/metrics").body
    assert "mysos_framework_removed 1" in metrics
    assert {"framework_removed"} <= {e["kind"] for e in up.client.events()}
    assert up.cli("create", "other").returncode == 6

    said = up.cli("register")
    assert said.returncode == 0, said
    shop.healthy()
    assert shop.ask("select id from kept.t order by id") == ((1,), (2,))
    assert {p for p in up.folder.glob("mesos/agent-*/volumes/roles/*/*")} == volumes
    assert "mysos_framework_removed 0" in up.client.get("/metrics").body
    again = up.cli("register")
    assert again.returncode == 5 and "nothing to do" in again.stderr, again

    up.kill()
    up.start()  # the label of before is still known
    shop.healthy()
    up.client.remove("shop")
    assert not list(up.folder.glob("mesos/agent-*/volumes/roles/*/*"))


def test_a_teardown_loses_no_acknowledged_write(own_up, version):
    """Registered anew at once, while the old executors still shut their servers down: the volumes are offered already."""
    up = own_up()
    shop = Shop(up.client, version)
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
        torn_down(up)
        said = up.cli("register")
        assert said.returncode == 0, said
        ledger.wait_for_more(100, HEAL_SECONDS)
        shop.healthy()
        ledger.wait_for_more(50)
    ledger.check(shop.addresses())


def test_servers_may_run_as_another_user_than_before(own_up):
    up = own_up("--mysql-user=nobody")
    assert "--mysql-user" in up.log_tail() and "nobody" in up.log_tail(), "a warning"
    shop = Shop(up.client, "mariadb-10.11")
    shop.ask("create database kept")
    shop.ask("create table kept.t (id int primary key)")
    assert {os.stat(f"/proc/{pid}").st_uid for pid in servers(up.folder).values()} == {pwd.getpwnam("nobody").pw_uid}
    assert up.stop() == 0

    up.flags = [f for f in up.flags if not f.startswith("--mysql-user")] + [f"--mysql-user={STRANGER}"]
    up.start()
    shop.healthy()

    assert shop.ask("show tables from kept") == (("t",),)
    owner = pwd.getpwnam(STRANGER).pw_uid
    assert {os.stat(f"/proc/{pid}").st_uid for pid in servers(up.folder).values()} == {owner}
    for data in up.folder.rglob("mysql/data"):
        assert {p.lstat().st_uid for p in [data, *data.rglob("*")]} == {owner}
