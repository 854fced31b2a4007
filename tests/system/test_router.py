# SPDX-License-Identifier: Apache-2.0
"""The stable addresses that `mysos up` gives through a real HAProxy: they follow the primary and the replicas,
outlive
scheduler and router, and no session of another cluster notices when one comes or goes. Over both flavours."""
import json
import os
import signal
import socket

import pymysql
import pytest
from conftest import Shop
from faults import frozen
from mysos_process import HEAL_SECONDS, Up, executors, listening_ports, member, processes_under, servers, wait_for

ROUTE_SECONDS = 30


def ports(shop):
    """((host, port) to write, (host, port) to read), once the router serves them."""
    def both():
        ends = shop.show()["endpoints"]
        return ends["read_write"] and ends["read_only"] and (ends["read_write"], ends["read_only"])
    return [tuple(e.rsplit(":", 1)) for e in wait_for("the router has ports", both, ROUTE_SECONDS)]


def port_of(shop, where):
    """The port of the member that a new session at this address comes to."""
    return int(shop.ask("SELECT @@port", *where)[0][0])


def leads_to(shop, where, *wanted):
    """Waits until the address leads to one of these ports."""
    def there():
        try:
            return port_of(shop, where) in wanted
        except pymysql.err.MySQLError:
            return False
    wait_for(f"{where} leads to one of {wanted}", there, ROUTE_SECONDS)


def replica_ports(shop):
    return {m["port"] for m in shop.show()["members"] if m["role"] == "replica"}


def moved_from(shop, old):
    """The present primary, once it is another one than the old."""
    return wait_for("another primary", lambda: next(
        (m for m in shop.show()["members"] if m["role"] == "primary" and m["id"] != old["id"]), None), HEAL_SECONDS)


def router_pids(up, word):
    """`mysos router` or the master of HAProxy, by a word of the command line."""
    return [pid for pid, line in processes_under(up.folder).items() if word in line]


@pytest.fixture()
def routed(shop):
    """The cluster, with its ledger going through the read-write port."""
    shop.rw, shop.ro = ports(shop)
    leads_to(shop, shop.rw, shop.member("primary")["port"])
    shop.primary = lambda: shop.rw
    return shop


@pytest.fixture()
def own(work, request, version):
    running = Up(work / f"own-{abs(hash(request.node.name)) % 100000}")
    try:
        running.start()
        shop = Shop(running.client, version)
        shop.rw, shop.ro = ports(shop)
        leads_to(shop, shop.rw, shop.member("primary")["port"])
        leads_to(shop, shop.ro, *replica_ports(shop))
        yield running, shop
    finally:
        running.close()


def reaches(shop, where):
    try:
        return bool(shop.ask("SELECT 1", *where))
    except pymysql.err.MySQLError:
        return False


def test_a_port_that_another_process_takes_costs_no_other_cluster_its_ports(own, version):
    up, shop = own
    other = Shop(up.client, version, name="other", members=1)
    other_rw, _ = ports(other)
    wait_for("the other cluster is reached", lambda: reaches(other, other_rw), ROUTE_SECONDS)
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for pid in router_pids(up, "haproxy"):
            os.kill(pid, signal.SIGKILL)

        def taken():
            try:
                squatter.bind((shop.rw[0], int(shop.rw[1])))
            except OSError:
                return False
            squatter.listen()
            return True

        wait_for("the port is taken before HAProxy starts again", taken, ROUTE_SECONDS, pause=0.001)
        wait_for("the other cluster is reached again", lambda: reaches(other, other_rw), ROUTE_SECONDS)
        wait_for("show prints no port", lambda: not shop.show()["endpoints"]["read_write"], ROUTE_SECONDS)
    wait_for("the port leads to the primary again", lambda: reaches(shop, shop.rw), ROUTE_SECONDS)
    assert ports(shop)[0] == shop.rw


def test_writers_go_on_over_the_death_of_the_primary(up, routed):
    before = routed.member("primary")
    with routed.ledger() as ledger:
        ledger.wait_for_more(100)
        os.kill(servers(up.folder)[before["port"]], signal.SIGKILL)
        ledger.wait_for_more(100)
        after = member(routed.healthy(), "primary")
        ledger.wait_for_more(50)
    assert after["id"] != before["id"]
    leads_to(routed, routed.rw, after["port"])
    ledger.check(routed.addresses())


def lose_session_at_frozen_primary(up, shop, session):
    """The primary cannot cut its sessions, since it is frozen: whoever is in front of it must."""
    at = shop.member("primary")
    pids = [servers(up.folder)[at["port"]], *(p for p in executors(up.folder) if at["api_port"] in listening_ports(p))]
    with frozen(*pids):
        with session.cursor() as cursor, pytest.raises(pymysql.err.OperationalError) as caught:
            cursor.execute("SELECT 1")
        assert "timed out" not in str(caught.value), "the session at the former primary lived on"
        leads_to(shop, shop.rw, moved_from(shop, at)["port"])
    shop.healthy()


def test_a_session_at_a_demoted_primary_is_cut(up, routed):
    with routed.connect(*routed.rw, read_timeout=HEAL_SECONDS) as session:
        lose_session_at_frozen_primary(up, routed, session)


def test_the_read_only_port_spreads_over_the_replicas(routed):
    replicas = replica_ports(routed)
    sessions = []

    def all_replicas():
        while sessions:
            sessions.pop().close()
        for _ in range(4):
            sessions.append(routed.connect(*routed.ro))
        seen = set()
        for session in sessions:
            with session.cursor() as cursor:
                cursor.execute("SELECT @@port")
                seen.add(cursor.fetchone()[0])
        return seen == replicas
    try:
        wait_for(f"four sessions are at {replicas}", all_replicas, ROUTE_SECONDS)
    finally:
        for session in sessions:
            session.close()


def test_sessions_live_on_while_another_cluster_comes_and_goes(routed, version):
    with routed.connect(*routed.rw, read_timeout=30) as session, session.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        mine = cursor.fetchone()
        other = Shop(routed.client, version, "other")
        try:
            rw, _ = ports(other)
            leads_to(other, rw, other.member("primary")["port"])
        finally:
            routed.client.remove("other")
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone() == mine


def test_a_session_from_before_a_reload_is_cut_too(up, routed, version):
    with routed.connect(*routed.rw, read_timeout=HEAL_SECONDS) as session:
        other = Shop(routed.client, version, "other")
        try:
            leads_to(other, ports(other)[0], other.member("primary")["port"])
            lose_session_at_frozen_primary(up, routed, session)
        finally:
            routed.client.remove("other")


def test_the_ports_serve_on_without_scheduler_and_router(own):
    up, shop = own
    with shop.connect(*shop.rw) as session, session.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        mine = cursor.fetchone()
        primary = shop.member("primary")["port"]
        up.kill()
        for pid in router_pids(up, " router --dir"):
            os.kill(pid, signal.SIGKILL)
        assert port_of(shop, shop.rw) == primary
        assert port_of(shop, shop.ro) != primary
        up.start()
        wait_for("a router again", lambda: router_pids(up, " router --dir"), ROUTE_SECONDS)
        shop.client = up.client
        assert tuple(ports(shop)) == (shop.rw, shop.ro), "the ports have changed"
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone() == mine, "the session did not outlive the router"

        # As if the router had died before it could write down the HAProxy that it had started.
        (up.folder / "router" / "haproxy.pid").unlink()
        for pid in router_pids(up, " router --dir"):
            os.kill(pid, signal.SIGKILL)
        wait_for("HAProxy is found", lambda: (up.folder / "router" / "haproxy.pid").exists(), ROUTE_SECONDS)
        assert port_of(shop, shop.rw) == primary
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone() == mine, "the session did not outlive the second router"


def test_haproxy_follows_a_failover_with_no_router(own):
    up, shop = own
    before = shop.member("primary")
    with frozen(*router_pids(up, " router --dir")):
        os.kill(servers(up.folder)[before["port"]], signal.SIGKILL)
        leads_to(shop, shop.rw, moved_from(shop, before)["port"])


def test_an_ended_up_leaves_no_router_and_no_haproxy(own):
    up, shop = own
    control = up.folder / "router" / "haproxy.sock"
    assert control.stat().st_mode & 0o777 == 0o600
    assert up.stop() == 0
    wait_for("nothing is left", lambda: not processes_under(up.folder), ROUTE_SECONDS)
    kept = json.loads((up.folder / "router" / "routes.json").read_text(encoding="utf-8"))
    assert kept["active"] is False
    assert [str(kept["clusters"][0]["ports"][k]) for k in ("read_write", "read_only")] == [shop.rw[1], shop.ro[1]]
