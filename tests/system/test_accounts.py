# SPDX-License-Identifier: Apache-2.0
"""What the cluster's user cannot reach, on the primary and a replica; a server that somebody changed is repaired and told;
the user's password is in no file of a member, and can be changed while the old one works. Over both flavours."""
import json
import pathlib
import time

import pymysql
import pytest
from conftest import Shop
from ledger import connect, query
from mysos_process import HEAL_SECONDS, wait_for

REFUSED = (
    "select * from mysql.user", "update mysql.db set select_priv='Y'", "create table mysql.t (i int)", "drop database sys",
    "alter user mysos_admin@localhost identified by 'x'", "rename user mysos_admin@localhost to adm@'%'",
    *(f"alter user mysos_r{i}@'%' account lock" for i in range(3)),
    "drop user mysos_r1@'%'", "grant mysos_admin@localhost to {user}@'%'", "grant super on *.* to {user}@'%'",
    "grant all on *.* to {user}@'%'", "create definer=mysos_admin@localhost procedure d.p() select 1",
    "set session sql_log_bin=0", "set global read_only=0", "set global sync_binlog=0", "purge binary logs before now()",
    "flush tables with read lock", "shutdown", "install plugin x soname 'x.so'")


@pytest.fixture(scope="module")
def shop(up, version):
    made = Shop(up.client, version)
    yield made
    up.client.remove("shop")


def works(shop, password, member=None):
    where = (member["host"], member["port"]) if member else shop.primary()
    try:
        with connect(*where, shop.user, password) as c:
            return query(c, "select 1")[0][0] == 1
    except pymysql.err.OperationalError:
        return False


def events(shop, kind, after=0):
    return [e for e in shop.client.events(shop.name) if e["kind"] == kind and e["seq"] > after]


def newest(shop):
    return max(e["seq"] for e in shop.client.events(shop.name))


def test_the_user_reaches_nothing_but_its_own(shop):
    replica = next(m for m in shop.show()["members"] if m["role"] == "replica")
    for where in (shop.primary(), (replica["host"], replica["port"])):
        for statement in REFUSED:
            with connect(*where, shop.user, shop.password) as c, pytest.raises(pymysql.err.Error):
                query(c, statement.format(user=shop.user))
    assert shop.show()["state"] == "healthy"


def test_an_account_that_poses_as_ours_is_undone(shop, version):
    if not version.startswith("mysql"):  # on MariaDB a user makes accounts by procedures, which refuse the name
        with connect(*shop.primary(), shop.user, shop.password) as c, pytest.raises(pymysql.err.Error):
            query(c, "call mysos.create_user('mysos_x', 'x')")
        return
    seen = newest(shop)
    with connect(*shop.primary(), shop.user, shop.password) as c:
        query(c, "create user mysos_x@'%' identified by 'x'")
    told = wait_for("the account is undone", lambda: events(shop, "server_repaired", seen), HEAL_SECONDS)
    assert "'mysos_x'@'%'" in told[0]["message"], told
    time.sleep(2)  # replicas have it from the primary: none may have stopped
    shop.client.wait_state("shop", "healthy")


def test_no_client_stays_at_the_admin_port(shop, version):
    if version.startswith("mysql"):  # it lets no client in
        return
    seen = newest(shop)
    port = shop.ask("select @@extra_port")[0][0]
    with connect(shop.primary()[0], port, shop.user, shop.password) as c:
        def ended():
            try:
                query(c, "select 1")
            except pymysql.err.Error:
                return True
            return False
        wait_for("the client is thrown out", ended, HEAL_SECONDS)
    told = wait_for("that is told", lambda: events(shop, "server_repaired", seen), HEAL_SECONDS)
    assert f"sessions of '{shop.user}' held places at the admin port" in told[0]["message"], told
    assert shop.show()["state"] == "healthy"


def admin(up):
    """The administrator of the primary's server, over its socket."""
    cluster = up.client.cluster("shop")
    port = int(cluster["endpoints"]["primary"].rsplit(":", 1)[1])
    for config in pathlib.Path(up.folder).rglob("mysql/my.cnf"):
        text = config.read_text(encoding="utf-8")
        if f"\nport={port}\n" not in text:
            continue
        socket = next(line.split("=", 1)[1] for line in text.splitlines() if line.startswith("socket="))
        secrets = json.loads((config.parent.parent / "mysos" / "secrets.json").read_text(encoding="utf-8"))
        return pymysql.connect(unix_socket=socket, user="mysos_admin", password=secrets["admin_password"], autocommit=True)
    raise AssertionError(f"no server with port {port}")


def test_what_somebody_changed_of_a_server_is_put_right_and_told(shop, up):
    seen = newest(shop)
    with admin(up) as c:
        query(c, "set global sync_binlog=0")
        query(c, "set sql_log_bin=0")
        query(c, "drop user mysos_monitor@localhost")

    def told():
        words = " ".join(e["message"] for e in events(shop, "server_repaired", seen))
        return "sync_binlog was '0'" in words and "mysos_monitor" in words

    wait_for("both are repaired", told, HEAL_SECONDS)
    with admin(up) as c:
        assert query(c, "select @@global.sync_binlog")[0][0] == 1
    shop.client.wait_state("shop", "healthy")


def test_an_empty_password_does_not_last_and_another_one_is_told(shop, up, version):
    seen = newest(shop)
    with connect(*shop.primary(), shop.user, shop.password) as c:
        query(c, "set password=''")
    told = wait_for("the known one is put back", lambda: events(shop, "server_repaired", seen), HEAL_SECONDS)
    assert "had no password" in told[0]["message"], told
    wait_for("the account is open again", lambda: works(shop, shop.password), HEAL_SECONDS)
    assert not works(shop, "")
    assert not json.loads(up.cli("credentials", "shop", "-o", "json").stdout)["changed_in_sql"]

    with connect(*shop.primary(), shop.user, shop.password) as c:
        query(c, "set password='own'" if version.startswith("mysql") else "set password=password('own')")
    wait_for("it is told", lambda: events(shop, "password_changed", seen), HEAL_SECONDS)
    shown = up.cli("credentials", "shop")
    assert "changed in SQL" in shown.stderr and shop.password in shown.stdout, shown
    with connect(*shop.primary(), shop.user, "own") as c:
        query(c, "set password=''")  # the known one again
    wait_for("it is put back", lambda: works(shop, shop.password), HEAL_SECONDS)
    shop.client.wait_state("shop", "healthy")


def test_a_table_of_a_refused_engine_is_told(shop, version):
    if version.startswith("mysql"):
        return  # it refuses them all
    seen = newest(shop)
    with connect(*shop.primary(), shop.user, shop.password) as c:
        query(c, "create database if not exists other")
        query(c, "create table other.t (i int) partition by hash(i) (partition p0 engine=memory)")
        told = wait_for("it is told", lambda: events(shop, "server_tampered", seen), HEAL_SECONDS)
        assert "other.t (MEMORY)" in told[0]["message"], told
        assert shop.show()["state"] != "healthy"
        query(c, "alter table other.t engine=innodb remove partitioning")
    shop.client.wait_state("shop", "healthy")


def test_the_password_is_changed_while_the_old_one_works_and_survives_a_failover(shop, up):
    first = shop.password
    changed = up.cli("credentials", "shop", "--rotate", "-o", "json")
    assert changed.returncode == 0, changed
    second = json.loads(changed.stdout)["password"]
    assert second != first and json.loads(changed.stdout)["old_password_valid"]
    assert works(shop, first) and works(shop, second)
    assert events(shop, "credentials_rotated")
    wait_for("it is told", lambda: events(shop, "credentials_applied"), HEAL_SECONDS)

    answer = shop.client.post("/v1/clusters/shop/failover", {})
    assert answer.status == 202, answer
    third = shop.client.post("/v1/clusters/shop/credentials/rotate", {}).json["password"]
    wait_for("the new primary has it", lambda: shop.primary() and works(shop, third), HEAL_SECONDS)
    assert works(shop, second) and not works(shop, first)

    retired = up.cli("credentials", "shop", "--retire")
    assert retired.returncode == 0, retired
    wait_for("the old one is gone", lambda: not works(shop, second), HEAL_SECONDS)
    assert works(shop, third)
    assert up.cli("credentials", "shop", "--retire").returncode != 0, "there is none"
    shop.password = third

    held = [str(f) for f in pathlib.Path(up.folder).rglob("*") if f.is_file() and "/volumes/" in str(f)
            for password in (first, second, third) if password.encode() in f.read_bytes()]
    assert not held, "a password of the user stands in clear in a file of a member"
