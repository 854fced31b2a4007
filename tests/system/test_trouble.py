# SPDX-License-Identifier: Apache-2.0
"""A machine that is not as it should be: one sentence that says what and what to do, an exit code, nothing lost."""
import socket

import pymysql
import pytest
from faults import file_system
from mysos_process import SMALL, Up, servers, wait_for


@pytest.fixture()
def make_up(work, request):
    made = []

    def make(*flags, **more):
        made.append(Up(more.pop("folder", work / f"{len(made)}-{abs(hash(request.node.name)) % 100000}"), *flags, **more))
        return made[-1]

    yield make
    for running in made:
        running.close()


def refused(up, *words, seconds=20):
    """`mysos up` says one sentence, with these words, and ends by itself with an error."""
    up.spawn()
    code = up.process.wait(seconds)
    said = up.log_tail()
    assert code not in (0, None) and code > 0, (code, said)
    for word in words:
        assert word in said, said
    errors = [line for line in said.splitlines() if line.startswith("mysos")]
    assert len(errors) == 1, f"not one sentence: {said}"
    return code


def test_a_port_in_use(make_up):
    up = make_up()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", up.port))
        taken.listen()
        refused(up, str(up.port), "--port")
    up.start()  # and nothing is broken by it
    assert up.client.clusters() == []


def test_a_directory_in_use(make_up, work):
    first = make_up(folder=work / "shared").start()
    second = make_up(folder=work / "shared")
    second.log = work / "second.log"
    refused(second, str(work / "shared"), str(first.process.pid))
    assert first.client.clusters() == []
    second.folder = work / "not-there"  # its close() shall not end the first one's processes


def test_no_mysql_on_the_machine(make_up, work):
    (work / "empty").mkdir(exist_ok=True)
    up = make_up(roots=(str(work / "empty"),))
    refused(up, "MySQL", "mariadb-server-core")


def test_a_wrong_flag_and_a_wrong_value(make_up):
    for flag, word in (("--agnets=3", "--agents"), ("--agents=0", "agents"), ("--on-exit=maybe", "keep"), ("--port=x", "port")):
        up = make_up(flag)
        up.spawn()
        assert up.process.wait(20) == 2, up.log_tail()
        assert word in up.log_tail(), up.log_tail()


def test_a_user_that_servers_cannot_run_as(make_up):
    for flag, word in (("--mysql-user=no-such-user", "no-such-user"), ("--mysql-user=root", "root")):
        refused(make_up(flag), word)


def test_a_folder_that_cannot_be_made(make_up):
    up = make_up()
    up.folder = type(up.folder)("/proc/nowhere")
    refused(up, "/proc/nowhere")
    up.folder = type(up.folder)("/nonexistent-mysos-test")


@pytest.fixture()
def small_disk(work):
    with file_system(work / "small.ext4", work / "small") as folder:
        yield folder


def test_a_full_disk(small_disk, make_up, version):
    up = make_up(folder=small_disk / "up", agents=1).start()
    name = up.client.version_named(version)
    answer = up.client.post("/v1/clusters", dict(SMALL, name="full", members=1, version=name))
    assert answer.status in (201, 202), answer
    up.client.wait_state("full", "healthy")
    found = up.client.credentials("full")
    host, port = up.client.cluster("full")["endpoints"]["primary"].rsplit(":", 1)

    def connect():
        return pymysql.connect(host=host, port=int(port), user=found["user"], password=found["password"], autocommit=True,
                               connect_timeout=5, read_timeout=20, write_timeout=20)

    with connect() as c, c.cursor() as cursor:
        cursor.execute("CREATE DATABASE d")
        cursor.execute("CREATE TABLE d.t (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO d.t VALUES (1), (2), (3)")
    filler = small_disk / "filler"
    with open(filler, "wb") as f:
        try:
            while True:
                f.write(b"\0" * (1 << 20))
        except OSError:
            pass
    wait_for("the API still answers", lambda: up.client.get("/v1/clusters/full").status == 200, 20)
    answer = up.client.post("/v1/clusters", dict(SMALL, name="second", members=1, disk="100MB", version=name))
    assert answer.status in (503, 500, 422), answer
    assert answer.json["detail"].strip()
    assert [c["name"] for c in up.client.clusters()] == ["full"], "a cluster was half-made"
    filler.unlink()
    up.client.wait_state("full", "healthy")
    with connect() as c, c.cursor() as cursor:
        cursor.execute("INSERT INTO d.t VALUES (4)")
        cursor.execute("SELECT id FROM d.t ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == [1, 2, 3, 4]


def test_a_taken_name(up, shop):
    answer = up.client.post("/v1/clusters", dict(SMALL, name="shop", members=1, version=shop.show()["version"]))
    assert answer.status == 409 and "shop" in answer.json["detail"], answer
    said = up.cli("create", "shop")
    assert said.returncode == 5 and "shop" in said.stderr, said
    shop.healthy()


def test_more_members_than_there_are_agents_wait_and_that_is_said_at_once(up):
    name = up.client.version_named("mariadb")
    answer = up.client.post("/v1/clusters", dict(SMALL, name="many", members=4, version=name))
    assert answer.status in (201, 202), answer
    wait_for("it says what it waits for",
             lambda: "this cluster has 4, and 3 agents are known" in up.client.cluster("many")["waiting_for"], 30)
    up.client.remove("many")
    assert not servers(up.folder)

