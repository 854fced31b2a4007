# SPDX-License-Identifier: Apache-2.0
"""An earlier copy of the scheduler's state is put back after failovers (docs/adr/0009-old-record.md). Over both flavours."""
import contextlib
import os
import signal
import sqlite3
import time

from conftest import Shop
from faults import frozen
from mysos_process import HEAL_SECONDS, executor_of, executors, member, servers, wait_for


def copy_state(up, to):
    """As docs/operations.md says: while it runs."""
    with contextlib.closing(sqlite3.connect(up.folder / "state.db")) as there, contextlib.closing(sqlite3.connect(to)) as copy:
        there.backup(copy)


def put_back(up, copy):
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (up.folder / name).unlink(missing_ok=True)
    (up.folder / "state.db").write_bytes(copy.read_bytes())
    (up.folder / "state.db").chmod(0o600)


def switch_over(shop, to):
    """Asks again where it was given up: the target may have been too far behind on a busy machine."""
    def settled():
        seen = shop.show()
        given_up = [e for e in shop.client.events(shop.name) if e["kind"] == "switchover_failed"]
        return seen["primary"] == to or len(given_up) > asked

    for asked in range(5):
        shop.healthy()  # an executor that was killed may not be missed yet, and its replica stops receiving for a moment
        answer = shop.client.post(f"/v1/clusters/{shop.name}/switchover", {"to": to})
        if answer.status == 409:
            continue
        assert answer.status in (200, 202), answer
        wait_for("the switchover is over", settled, HEAL_SECONDS)
        if shop.show()["primary"] == to:
            break
    assert shop.show()["primary"] == to, shop.client.events(shop.name)
    return shop.healthy()


def kinds(shop):
    return [e["kind"] for e in shop.client.events()]


def test_an_old_state_is_noticed_and_the_members_say_what_is_true(own_up, version, work):
    up = own_up()
    shop = Shop(up.client, version)
    copy = work / f"{version}-copy.db"
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
        copy_state(up, copy)
        first = shop.show()
        os.kill(servers(up.folder)[member(first, "primary")["port"]], signal.SIGKILL)
        ledger.wait_for_more(100)
        shop.replaced(member(first, "primary"))
        second = shop.healthy()
        replica = next(m for m in second["members"] if m["role"] == "replica")
        old_executor = executor_of(up.folder, replica)
        os.kill(old_executor, signal.SIGKILL)  # a task that the copy does not know takes its place
        wait_for("three executors again", lambda: len(set(executors(up.folder)) - {old_executor}) == 3, HEAL_SECONDS)
        shop.healthy()
        third = switch_over(shop, replica["id"])
        ledger.wait_for_more(100)
        before = servers(up.folder)

        up.kill()
        put_back(up, copy)
        away = next(m for m in third["members"] if m["role"] == "replica")
        with frozen(executor_of(up.folder, away)):
            up.start()
            doubt = shop.client.wait_state(shop.name, "in_doubt", 30)
            wait_for("the true primary is shown", lambda: shop.show()["primary"] == third["primary"], HEAL_SECONDS)
            ledger.wait_for_more(200)  # it serves on
            doubt = wait_for("the others are reachable",
                             lambda: _waits_for_one(shop.show(), third, away["id"]), HEAL_SECONDS)
            assert "state.db was put back" in doubt["doubt"], doubt
            assert f"{away['id']}, which is unreachable" in doubt["waiting_for"], doubt
            refused = shop.client.post(f"/v1/clusters/{shop.name}/switchover", {})
            assert refused.status == 409 and "may be old" in refused.json["detail"], refused
            refused = shop.client.post(f"/v1/clusters/{shop.name}/failover", {})
            assert refused.status == 409 and away["id"] in refused.json["detail"], refused
            assert f'mysos_cluster_in_doubt{{cluster="{shop.name}"}} 1' in shop.client.get("/metrics").body
        fourth = shop.healthy()
        ledger.wait_for_more(100)
    ledger.check(shop.addresses())
    assert fourth["epoch"] > third["epoch"], (third, fourth)
    assert before.items() <= servers(up.folder).items(), "a server was ended, though clients wrote while all were asked"
    told = kinds(shop)
    for kind in ("state_put_back", "record_doubted", "task_found", "record_asked", "record_renewed"):
        assert kind in told, told
    assert "stray_task_killed" not in told and "failover_started" not in told[told.index("state_put_back"):], told


def _waits_for_one(cluster, truth, away):
    there = [m for m in cluster["members"] if m["id"] != away]
    good = all(m["state"] == "running" for m in there) and cluster["primary"] == truth["primary"]
    return cluster if good and all(m["id"] not in cluster["waiting_for"] for m in there) else None


def test_an_old_primary_that_is_alone_in_reach_is_left_alone_until_an_operator_says_so(own_up, version, work):
    up = own_up()
    shop = Shop(up.client, version)
    copy = work / f"{version}-alone.db"
    copy_state(up, copy)
    old = shop.member("primary")
    new = next(m for m in shop.show()["members"] if m["role"] == "replica")
    truth = switch_over(shop, new["id"])
    with shop.connect(new["host"], new["port"]) as c, c.cursor() as cursor:
        cursor.execute("CREATE DATABASE after_the_copy")
    up.kill()
    put_back(up, copy)

    away = [m for m in truth["members"] if m["id"] != old["id"]]
    with frozen(*[servers(up.folder)[m["port"]] for m in away], *[executor_of(up.folder, m) for m in away]):
        up.start()
        shop.client.wait_state(shop.name, "in_doubt", 30)
        wait_for("the old primary is reachable", lambda: old["id"] not in shop.show()["waiting_for"].split("not yet:")[-1], 30)
        # A primary without ackers would go on alone after five seconds. After ten the agent ends executors that are away.
        until = time.monotonic() + 6
        while time.monotonic() < until:
            now = shop.show()
            assert now["state"] == "in_doubt" and now["endpoints"]["primary"] is None, now
            time.sleep(1)
        told = kinds(shop)
        assert "solo_entered" not in told and "record_asked" not in told, told
        forced = up.cli("failover", shop.name, "--accept-loss")
        assert forced.returncode == 0, forced
        alone = wait_for("the old primary serves", lambda: shop.show() if shop.primary() else None, HEAL_SECONDS)
        assert alone["primary"] == old["id"] and alone["epoch"] > truth["epoch"] + 999, alone
        lost = next(e for e in shop.client.events(shop.name) if e["kind"] == "failover_forced")
        assert all(m["id"] in lost["message"].split("not asked")[-1] for m in away), lost
    shop.healthy(180)
    assert shop.show()["primary"] == old["id"]
