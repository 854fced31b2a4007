# SPDX-License-Identifier: Apache-2.0
"""A cluster that the state does not know is taken back from what its members hold (docs/adr/0012-adoption.md). Over both
flavours."""
import contextlib
import os
import signal
import sqlite3

from conftest import Shop
from mysos_process import HEAL_SECONDS, executors, servers, wait_for
from test_old_state import kinds, put_back
from test_orphans import orphans


def copy_of_empty_state(up, work, version):
    wait_for("the framework's id is stored", lambda: "framework_registered" in [e["kind"] for e in up.client.events()], 30)
    to = work / f"{version}-{up.folder.name}"
    done = up.cli("backup-state", str(to), "--dir", str(up.folder))
    assert done.returncode == 0, done
    assert up.cli("backup-state", str(to), "--dir", str(up.folder)).returncode == 5, "a copy is written over another"
    return to / "state.db"


def identified(up):
    tasks = orphans(up.client)["tasks"]
    return len(tasks) == 3 and all(t["identified"] for t in tasks)


def same_cluster(up, shop, truth):
    """Healthy again, with what makes it the cluster that it was."""
    now = shop.healthy(180)
    for key in ("id", "name", "version", "flavour", "cpus", "mem", "disk", "user", "created", "any_engine"):
        assert now.get(key) == truth.get(key), (key, now, truth)
    members = [{k: m[k] for k in ("id", "hostname")} for m in now["members"]]
    assert members == [{k: m[k] for k in ("id", "hostname")} for m in truth["members"]], (now, truth)
    found = up.client.credentials(shop.name)
    assert (found["user"], found["password"]) == (shop.user, shop.password), "the password is another one"
    return now


def test_a_cluster_whose_servers_run_is_adopted_while_they_serve(own_up, version, work):
    up = own_up()
    copy = copy_of_empty_state(up, work, version)
    shop = Shop(up.client, version)
    shop.password = up.client.post(f"/v1/clusters/{shop.name}/credentials/rotate").json["password"]
    truth = shop.healthy()
    wait_for("every member was told of the new password",
             lambda: up.client.credentials(shop.name)["applied"] if "applied" in up.client.credentials(shop.name) else True, 30)
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
        before, executors_before = servers(up.folder), set(executors(up.folder))
        up.kill()
        put_back(up, copy)
        up.start()
        assert up.client.get("/v1/clusters").json["clusters"] == []
        wait_for("its executors have said who they are", lambda: identified(up), HEAL_SECONDS)
        listed = up.cli("orphans")
        assert "shop" in listed.stdout and "adopt" in listed.stdout, listed
        assert up.cli("orphans", "adopt", "other").returncode == 4

        ledger.wait_for_more(50)  # it serves on
        done = up.cli("orphans", "adopt", "shop")
        assert done.returncode == 0 and "shop" in done.stdout and "Nothing" not in done.stdout, done
        again = up.cli("orphans", "adopt", "shop")
        assert again.returncode == 0 and "Nothing was adopted" in again.stdout, again
        now = same_cluster(up, shop, truth)
        ledger.wait_for_more(100)
    ledger.check(shop.addresses())
    assert now["epoch"] > truth["epoch"], (now, truth)
    primary = next(m for m in truth["members"] if m["role"] == "primary")["port"]
    others = {port: pid for port, pid in before.items() if port != primary}  # that one may be ended, see ADR 5
    assert others.items() <= servers(up.folder).items(), "a server was ended"
    assert set(executors(up.folder)) == executors_before, "a task was ended"
    assert orphans(up.client)["tasks"] == [] and orphans(up.client)["orphans"] == []
    told = kinds(shop)
    for kind in ("cluster_unknown", "cluster_adopted", "member_found", "record_asked", "record_renewed"):
        assert kind in told, told
    assert "stray_task_killed" not in told and "member_launched" not in told[told.index("cluster_adopted"):], told

    router = now["endpoints"]["read_write"] or now["endpoints"]["primary"]
    host, port = router.rsplit(":", 1)
    with shop.connect(host, int(port)) as c, c.cursor() as cursor:
        cursor.execute("CREATE DATABASE after_the_adoption")


def test_a_copy_without_a_framework_is_refused_and_the_framework_can_be_named(own_up, version, work):
    up = own_up()
    copy = copy_of_empty_state(up, work, version)
    framework = next(e for e in up.client.events() if e["kind"] == "framework_registered")["message"].split()[-1]
    with contextlib.closing(sqlite3.connect(copy)) as state:
        state.execute("DELETE FROM record WHERE kind = 'framework'")  # as it is before it is registered
        state.commit()
    shop = Shop(up.client, version)
    truth = shop.healthy()
    up.kill()
    put_back(up, copy)
    refused = up.cli("up", "--dir", str(up.folder), f"--port={up.port}")
    assert refused.returncode == 5 and "--framework-id" in refused.stderr, refused

    up.flags.append(f"--framework-id={framework}")
    up.start()
    wait_for("its executors have said who they are", lambda: identified(up), HEAL_SECONDS)
    up.flags.pop()
    assert up.cli("orphans", "adopt", "shop").returncode == 0
    same_cluster(up, shop, truth)
    told = kinds(shop)
    assert "member_launched" not in told[told.index("cluster_adopted"):], told
    up.kill()
    other = up.cli("up", "--dir", str(up.folder), f"--port={up.port}", "--framework-id=other")
    assert other.returncode == 5 and framework in other.stderr, other
    up.start()  # the state keeps the id
    shop.healthy()


def test_a_cluster_of_which_only_volumes_are_left_is_adopted(own_up, version, work):
    up = own_up()
    copy = copy_of_empty_state(up, work, version)
    shop = Shop(up.client, version)
    truth = shop.healthy()
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
    assert up.cli("restore-state", str(copy.parent), "--dir", str(up.folder)).returncode == 5, "a scheduler runs on it"
    up.stop()  # with the databases
    done = up.cli("restore-state", str(copy.parent), "--dir", str(up.folder))
    assert done.returncode == 0 and "0 cluster(s)" in done.stdout, done
    key = (up.folder / "secret.key").read_bytes()
    (up.folder / "secret.key").unlink()
    up.start()  # with another key
    wait_for("its volumes are seen", lambda: len(orphans(up.client)["orphans"]) == 3, HEAL_SECONDS)
    refused = up.cli("orphans", "adopt", "shop")
    assert refused.returncode == 5 and "secret.key" in refused.stderr, refused
    up.stop()
    (up.folder / "secret.key").write_bytes(key)
    up.start()
    wait_for("its volumes are seen", lambda: len(orphans(up.client)["orphans"]) == 3, HEAL_SECONDS)

    Shop(up.client, version)  # somebody has made another one of that name
    refused = up.cli("orphans", "adopt", "shop")
    assert refused.returncode == 5 and "--as" in refused.stderr, refused
    done = up.cli("orphans", "adopt", truth["id"], "--as", "store")
    assert done.returncode == 0, done
    os.kill(up.process.pid, signal.SIGKILL)  # in the midst of it
    up.process.wait()
    up.start()
    store = Shop.__new__(Shop)
    store.client, store.name, store.user, store.password = up.client, "store", shop.user, shop.password
    same_cluster(up, store, dict(truth, name="store"))
    ledger.check(store.addresses())
