# SPDX-License-Identifier: Apache-2.0
"""The same on a real Apache Mesos 1.11 that wants a principal and its secret: create, write, kill the primary, restart the
scheduler, delete, nothing left; and what follows when the framework is torn down."""
import json
import os
import signal
import time

import pytest
from apache_mesos import ApacheMesos
from conftest import Shop
from faults import kill
from mysos_process import HEAL_SECONDS, MYSQL9, Up, executors, member, servers, user_flags, wait_for


class OnMesos(Up):
    """`mysos scheduler` on a Mesos that somebody else runs."""

    def __init__(self, folder, master, *flags):
        super().__init__(folder)
        self.master = master
        self.flags = [f"--master={master}", *user_flags(), *flags]

    def command(self, *arguments):
        if arguments[0] == "up":
            roots = ["--mysql-root=/", f"--mysql-root={MYSQL9}"]
            kept = [a for a in arguments[1:] if not a.startswith(("--agents", "--mysql-root"))]
            arguments = ("scheduler", *kept, *roots)
        return super().command(*arguments)


CREDENTIAL = ("mysos", "a secret of this test")


@pytest.fixture(scope="module")
def mesos(work):
    with ApacheMesos(work / "mesos", agents=3, credential=CREDENTIAL) as running:
        yield running


def secret_file(work, secret):
    file = work / f"secret-{len(secret)}"
    file.touch(mode=0o600)
    file.write_text(secret + "\n", encoding="utf-8")
    return f"--secret-file={file}"


@pytest.fixture(scope="module")
def up(work, mesos):
    running = OnMesos(work / "scheduler", mesos.master, secret_file(work, CREDENTIAL[1]))
    try:
        yield running.start()
    finally:
        running.close()


def reserved(mesos):
    """What the agents hold reserved, by their own account."""
    return {a["hostname"] + ":" + str(a["port"]): a["reserved_resources_full"] for a in mesos.agents()
            if a.get("reserved_resources_full")}


def frameworks(mesos):
    return [f for f in json.loads(mesos.get("/master/frameworks"))["frameworks"] if f["active"]]


def test_create_write_kill_the_primary_delete(up, mesos, shop):
    before = shop.show()
    assert len({m["agent"] for m in before["members"]}) == 3
    assert len(servers(mesos.folder)) == 3 and len(executors(mesos.folder)) == 3
    assert len(reserved(mesos)) == 3
    with shop.ledger() as ledger:
        ledger.wait_for_more(200)
        os.kill(servers(mesos.folder)[member(before, "primary")["port"]], signal.SIGKILL)
        killed = time.monotonic()
        ledger.wait_for_more(200)
        after = shop.healthy()
    ledger.check(shop.addresses())
    print(f"outage {ledger.outage_after(killed) * 1000:.0f} ms")
    assert after["epoch"] > before["epoch"]

    up.client.remove("shop")
    wait_for("nothing runs", lambda: not servers(mesos.folder) and not executors(mesos.folder), HEAL_SECONDS)
    wait_for("nothing is reserved", lambda: not reserved(mesos), HEAL_SECONDS)
    volumes = [p for p in mesos.folder.rglob("volumes/roles/*/*") if p.is_dir()]
    assert not volumes, volumes


def test_the_scheduler_dies_and_finds_everything_again(up, mesos, shop):
    before, processes = shop.show(), servers(mesos.folder)
    primary = shop.primary()
    shop.primary = lambda: primary
    with shop.ledger() as ledger:
        ledger.wait_for_more(50)
        up.kill()
        ledger.wait_for_more(100)
        up.start()
        after = shop.healthy()
    assert servers(mesos.folder) == processes and after["epoch"] == before["epoch"]
    assert len(frameworks(mesos)) == 1
    ledger.check(shop.addresses())


def test_an_agent_restarts_under_a_cluster(up, mesos, shop):
    processes = servers(mesos.folder)
    with shop.ledger() as ledger:
        ledger.wait_for_more(50)
        mesos.kill("agent-1")
        mesos.run("agent-1")
        wait_for("the agent is back", lambda: sum(a["active"] for a in mesos.agents()) == 3, HEAL_SECONDS)
        ledger.wait_for_more(100)
        shop.healthy()
    assert servers(mesos.folder) == processes, "an agent's restart cost a server"
    ledger.check(shop.addresses())


def test_an_executor_dies(up, mesos, shop):
    with shop.ledger() as ledger:
        ledger.wait_for_more(50)
        old = executors(mesos.folder)
        os.kill(old[0], signal.SIGKILL)
        wait_for("three executors again", lambda: len(set(executors(mesos.folder)) - {old[0]}) == 3, HEAL_SECONDS)
        shop.healthy()
        ledger.wait_for_more(50)
    ledger.check(shop.addresses())
    assert len(servers(mesos.folder)) == 3


def test_an_agent_dies_with_all_that_runs_there(up, mesos, shop):
    """A machine that loses its power: agent, executor and server of the primary; then it is back."""
    old = member(shop.show(), "primary")
    place = next(name for name in mesos.nodes if name != "master" and old["port"] in servers(mesos.folder / name))
    with shop.ledger() as ledger:
        ledger.wait_for_more(50)
        mesos.kill(place)
        kill([*executors(mesos.folder / place), *servers(mesos.folder / place).values()])
        shop.replaced(old)
        ledger.wait_for_more(100)
        mesos.run(place)
        after = shop.healthy()
        ledger.wait_for_more(50)
    ledger.check(shop.addresses())
    assert [m["id"] for m in after["members"]].count(old["id"]) == 1
    assert old["port"] in servers(mesos.folder / place), "it did not come back on its own volume"


def test_a_cluster_that_the_state_does_not_know_is_adopted(up, mesos, version, work):
    """While its tasks run, which are asked through Mesos who they are; then once more, when only its volumes are left."""
    copy = work / f"copy-{version}"
    done = up.cli("backup-state", str(copy), "--dir", str(up.folder))
    assert done.returncode == 0, done

    def put_back():
        up.kill()
        restored = up.cli("restore-state", str(copy), "--dir", str(up.folder))
        assert restored.returncode == 0, restored

    def adopted():
        done = up.cli("orphans", "adopt", "shop")
        assert done.returncode == 0, done
        shop.healthy(180)
        assert up.client.credentials("shop")["password"] == shop.password
        assert shop.ask("select id from kept.t order by id") == ((1,), (2,))

    shop = Shop(up.client, version)
    shop.ask("create database kept")
    shop.ask("create table kept.t (id int primary key)")
    shop.ask("insert into kept.t values (1), (2)")
    held, tasks = reserved(mesos), set(executors(mesos.folder))
    put_back()
    up.start()
    wait_for("its executors have said who they are",
             lambda: [t["identified"] for t in up.client.get("/v1/orphans").json["tasks"]] == [True] * 3, HEAL_SECONDS)
    adopted()
    assert set(executors(mesos.folder)) == tasks, "a task was ended"

    put_back()
    kill([*executors(mesos.folder), *servers(mesos.folder).values()])
    up.start()
    wait_for("its volumes are offered", lambda: len(up.client.get("/v1/orphans").json["orphans"]) == 3, 2 * HEAL_SECONDS)
    assert reserved(mesos) == held
    adopted()
    assert reserved(mesos) == held, "it is on other volumes"
    up.client.remove("shop")
    wait_for("nothing is reserved", lambda: not reserved(mesos), HEAL_SECONDS)


def test_a_wrong_secret_is_told_and_nothing_is_registered(work, mesos, up):
    before = len(frameworks(mesos))
    wrong = OnMesos(work / "wrong", mesos.master, secret_file(work, "guessed"))
    try:
        wrong.start()
        wait_for("the refusal", lambda: "401" in wrong.client.get("/readyz", token=False).json["mesos_problem"], HEAL_SECONDS)
        assert "--secret-file" in wrong.client.get("/readyz", token=False).json["mesos_problem"]
        assert len(frameworks(mesos)) == before
    finally:
        wrong.close()


def test_a_secret_that_others_can_read_is_refused(work, mesos):
    flag = secret_file(work, "for everybody to see")
    os.chmod(flag.split("=", 1)[1], 0o644)
    refused = OnMesos(work / "refused", mesos.master, flag)
    try:
        refused.spawn()
        assert refused.process.wait(20) == 3, refused.log_tail()
        assert "chmod 600" in refused.log_tail()
    finally:
        refused.close()


def test_after_a_teardown_it_reads_and_registers_anew(up, mesos, shop):
    shop.ask("create database kept")
    shop.ask("create table kept.t (id int primary key)")
    shop.ask("insert into kept.t values (1), (2)")
    [framework] = frameworks(mesos)
    held = reserved(mesos)
    mesos.post("/master/api/v1", {"type": "TEARDOWN", "teardown": {"framework_id": {"value": framework["id"]}}})
    wait_for("the removal is told", lambda: "mysos register" in shop.show()["waiting_for"], HEAL_SECONDS)
    assert up.client.get("/readyz", token=False).status == 503
    assert up.client.post("/v1/clusters", {"name": "other"}).status == 503
    assert up.client.credentials("shop")["password"] == shop.password

    assert up.cli("register").returncode == 0
    shop.healthy()
    [after] = frameworks(mesos)
    assert after["id"] != framework["id"]
    assert shop.ask("select id from kept.t order by id") == ((1,), (2,))
    assert set(reserved(mesos)) == set(held)

    up.client.remove("shop")
    wait_for("nothing is reserved", lambda: not reserved(mesos), HEAL_SECONDS)
    volumes = [p for p in mesos.folder.rglob("volumes/roles/*/*") if p.is_dir()]
    assert not volumes, volumes
