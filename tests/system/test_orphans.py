# SPDX-License-Identifier: Apache-2.0
"""The documented backup of the control plane is put back after a cluster was made. Nothing of that cluster is destroyed or
stopped; its volumes are orphans until a user says what becomes of them. And a disk of the state that is full: what is shown
is true."""
import time

from conftest import Shop
from mysos_process import HEAL_SECONDS, member, servers, wait_for
from test_old_state import copy_state, kinds, put_back


def orphans(client):
    return client.get("/v1/orphans").json


def test_a_cluster_that_the_state_does_not_know_is_kept_until_a_user_says_so(own_up, version, work):
    up = own_up()
    wait_for("the framework's id is stored", lambda: "framework_registered" in [e["kind"] for e in up.client.events()], 30)
    copy = work / f"{version}-empty.db"
    copy_state(up, copy)
    shop = Shop(up.client, version)
    truth = shop.healthy()
    primary = member(truth, "primary")
    with shop.connect(primary["host"], primary["port"]) as c, c.cursor() as cursor:
        cursor.execute("CREATE DATABASE after_the_copy")
    before = servers(up.folder)
    up.kill()
    put_back(up, copy)
    up.start()

    found = wait_for("its tasks are seen", lambda: orphans(up.client) if len(orphans(up.client)["tasks"]) == 3 else None, 60)
    assert {t["cluster_name"] for t in found["tasks"]} == {"shop"}, found
    wait_for("that is told", lambda: "cluster_unknown" in kinds(shop), HEAL_SECONDS)  # shown before its event is logged
    assert "mysos_unknown_tasks 3" in up.client.get("/metrics").body
    with shop.connect(primary["host"], primary["port"]) as c, c.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE 'after_the_copy'")
        assert cursor.fetchone(), "it serves on"
    assert servers(up.folder) == before, "a server was ended"

    up.stop()  # as it does by default, this shuts the databases down: their volumes are free
    up.start()
    found = wait_for("its volumes are seen",
                     lambda: orphans(up.client) if len(orphans(up.client)["orphans"]) == 3 else None, HEAL_SECONDS)
    time.sleep(150)  # longer than what holds no data is kept
    found = orphans(up.client)
    assert len(found["orphans"]) == 3 and not found["tasks"], found
    assert {o["fate"] for o in found["orphans"]} == {"kept"}, found
    assert 'mysos_orphan_volumes{fate="kept"} 3' in up.client.get("/metrics").body
    told = kinds(shop)
    assert "orphan_released" not in told and "stray_task_killed" not in told, told

    chosen = found["orphans"][0]["id"]
    refused = up.cli("orphans", "destroy", chosen)
    assert refused.returncode != 0 and "--yes" in refused.stderr, refused
    assert up.cli("orphans", "destroy", "nothing", "--yes").returncode != 0
    done = up.cli("orphans", "destroy", chosen, "--yes")
    assert done.returncode == 0, done
    wait_for("it is destroyed", lambda: len(orphans(up.client)["orphans"]) == 2, HEAL_SECONDS)
    wait_for("that is told", lambda: "orphan_destroyed" in kinds(shop), HEAL_SECONDS)
    listed = up.cli("orphans")
    assert listed.returncode == 0 and chosen not in listed.stdout and "shop" in listed.stdout, listed


def test_a_lost_key_is_refused(own_up, version):
    up = own_up()
    Shop(up.client, version)
    up.stop()
    (up.folder / "secret.key").rename(up.folder / "kept.key")
    refused = up.cli("up", "--dir", str(up.folder))
    assert refused.returncode != 0 and "secret.key is lost" in refused.stderr, refused
    assert not (up.folder / "secret.key").exists()
    (up.folder / "kept.key").rename(up.folder / "secret.key")
    up.start()
