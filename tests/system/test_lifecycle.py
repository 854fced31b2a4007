# SPDX-License-Identifier: Apache-2.0
"""One command, a live cluster; and nothing left of it after the delete. Over both flavours."""
import json
import pathlib

import pytest
from faults import frozen, server_of
from ledger import connect, query
from mysos_process import HEAL_SECONDS, SMALL, executor_of, executors, member, processes_under, servers, wait_for

SIZE = [f"--{k}={v}" for k, v in SMALL.items()]


def data_folders(folder):
    """What lies in the persistent volumes of all agents."""
    return [p for p in pathlib.Path(folder).rglob("volumes/roles/*/*") if p.is_dir() and any(p.iterdir())]


def reservations(folder):
    """What the agents of the embedded Mesos have on disk as reserved."""
    found = []
    for file in pathlib.Path(folder).rglob("agent.json"):
        total = json.loads(file.read_text(encoding="utf-8"))["total"]
        found += [f"{file.parent.name}: {r['name']}" for r in total if r.get("reservations")]
    return found


def test_a_cluster_from_the_command_line_and_back(up, version):
    name = up.client.version_named(version)
    made = up.cli("create", "shop", "--members=3", f"--version={name}", *SIZE, "--wait")
    assert made.returncode == 0, made
    cluster = up.client.cluster("shop")
    assert cluster["state"] == "healthy"
    assert cluster["mode"] == "normal"
    assert len(cluster["members"]) == 3
    assert len({m["agent"] for m in cluster["members"]}) == 3, "two members on one agent"
    assert {m["state"] for m in cluster["members"]} == {"running"}
    assert sorted(m["role"] for m in cluster["members"]) == ["primary", "replica", "replica"]

    shown = up.cli("show", "shop")
    assert shown.returncode == 0 and "healthy" in shown.stdout, shown
    shown = up.cli("show", "shop", "-o", "json")
    assert json.loads(shown.stdout)["name"] == "shop"
    listed = up.cli("list")
    assert listed.returncode == 0 and "shop" in listed.stdout, listed

    said = up.cli("connect", "shop", "-e",
                  "create database d; create table d.t (a int primary key); insert into d.t values (7)")
    assert said.returncode == 0, said
    said = up.cli("connect", "shop", "-e", "select a from d.t")
    assert said.returncode == 0 and "7" in said.stdout.split(), said

    told = up.cli("credentials", "shop")
    _, user, _, password = told.stdout.split()
    with connect(*cluster["endpoints"]["primary"].rsplit(":", 1), user, password) as c:
        assert [row[0] for row in query(c, "select a from d.t")] == [7]

    gone = up.cli("delete", "shop", "--yes", "--wait")
    assert gone.returncode == 0, gone
    assert up.client.clusters() == []
    assert up.client.get("/v1/clusters/shop").status == 404


def test_what_is_written_is_on_every_member(up, shop):
    with shop.ledger() as ledger:
        ledger.wait_for_more(200)
        ledger.stop()
    assert ledger.check(shop.addresses()) >= 200


def test_replicas_and_idle_members_refuse_writes(up, shop):
    shop.ledger().prepare()
    for replica in [m for m in shop.show()["members"] if m["role"] == "replica"]:
        wait_for("the replica has the table", lambda: _has_table(shop, replica), HEAL_SECONDS)
        with pytest.raises(Exception, match="read-only|READ ONLY|1290"):
            shop.ask("INSERT INTO ledger.entries VALUES (1, 1, '')", replica["host"], replica["port"])


def test_the_lag_of_a_frozen_replica_is_not_known(up, shop):
    replica = next(m for m in shop.show()["members"] if m["role"] == "replica")

    def now():
        return next(m for m in shop.show()["members"] if m["id"] == replica["id"])["lag_ms"]

    wait_for("it lags by nothing", lambda: now() == 0, HEAL_SECONDS)
    for pid in (server_of(up.folder, replica), executor_of(up.folder, replica)):
        with frozen(pid):
            wait_for("its lag is not known", lambda: now() is None, HEAL_SECONDS)
            line = next(line for line in up.cli("members", "shop").stdout.splitlines() if line.startswith(replica["id"]))
            assert "unknown" in line and " ms " not in line, line
        wait_for("it lags by nothing again", lambda: now() == 0, HEAL_SECONDS)
    shop.healthy()


def _has_table(shop, at):
    return shop.ask("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'ledger'",
                    at["host"], at["port"])[0][0] == 1


def test_the_user_has_wide_rights_but_cannot_break_the_promises(up, shop):
    shop.ask("CREATE DATABASE mine")
    for forbidden in ("SET GLOBAL read_only = 0", "SET GLOBAL sync_binlog = 0", "SET SESSION sql_log_bin = 0",
                      "STOP REPLICA" if "mysql" in shop.show()["version"] else "STOP SLAVE"):
        with pytest.raises(Exception, match="denied|1227"):
            shop.ask(forbidden)


def test_a_delete_gives_everything_back(up, shop):
    with shop.ledger() as ledger:
        ledger.wait_for_more(10)
    assert len(servers(up.folder)) == 3 and len(executors(up.folder)) == 3
    for found in (data_folders, reservations):
        assert found(up.folder), f"{found.__name__} finds nothing: this test looks in the wrong place"
    up.client.remove("shop")
    wait_for("no server, no executor is left", lambda: not servers(up.folder) and not executors(up.folder), HEAL_SECONDS)
    wait_for("no volume is left", lambda: not data_folders(up.folder), HEAL_SECONDS)
    # `mysos up` itself and the router beside it stay.
    left = {p: line for p, line in processes_under(up.folder).items()
            if p != up.process.pid and f"router --dir {up.folder}" not in line and f"{up.folder}/router/" not in line}
    assert not left, left
    wait_for("no agent holds a member", lambda: not any(a["members"] for a in agents(up)), HEAL_SECONDS)
    wait_for("nothing is reserved", lambda: not reservations(up.folder), HEAL_SECONDS)


def agents(up):
    answer = up.client.get("/v1/agents").json
    return answer if isinstance(answer, list) else answer["agents"]


def test_a_switchover_moves_the_primary_and_loses_nothing(up, shop):
    before = shop.show()
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
        target = next(m for m in before["members"] if m["role"] == "replica")["id"]
        answer = up.client.post("/v1/clusters/shop/switchover", {"to": target})
        assert answer.status in (200, 202), answer
        wait_for("the target is primary",
                 lambda: [m["id"] for m in shop.show()["members"] if m["role"] == "primary"] == [target], HEAL_SECONDS)
        ledger.wait_for_more(100)
        after = shop.healthy()
        ledger.wait_for_more(100)
    assert after["epoch"] > before["epoch"]
    assert member(after, "primary")["id"] == target
    ledger.check(shop.addresses())


def test_events_say_who_asked(up, shop):
    told = up.cli("credentials", "shop")
    assert told.returncode == 0, told
    of = {e["kind"]: e for e in up.client.events("shop")}
    for kind in ("cluster_created", "credentials_read"):
        assert of[kind]["by"] == {"who": "admin", "from": "127.0.0.1"}, of[kind]
    assert "by" not in of["primary_chosen"], of["primary_chosen"]
    lines = [line for line in up.cli("events", "shop").stdout.splitlines() if " cluster_created: " in line]
    assert lines and lines[0].endswith("(by admin from 127.0.0.1)"), lines


def test_events_tell_the_story(up, shop):
    kinds = [e["kind"] for e in up.client.events("shop")]
    assert len(kinds) >= 2, kinds
    for event in up.client.events("shop"):
        assert event["message"].strip(), event
        assert shop.password not in json.dumps(event)
