# SPDX-License-Identifier: Apache-2.0
"""CREATE EVENT by a client: it runs on the primary and only there, after every change of the primary, as its owner left it."""
import os
import signal
import time

from mysos_process import HEAL_SECONDS, servers, wait_for


def _make(shop):
    shop.ask("CREATE DATABASE d")
    shop.ask("CREATE TABLE d.log (id INT AUTO_INCREMENT PRIMARY KEY, event VARCHAR(20), server BIGINT)")
    for name, status in (("runs", ""), ("never", "DISABLE"), ("stopped", "")):
        shop.ask(f"CREATE EVENT d.{name} ON SCHEDULE EVERY 1 SECOND {status} "
                 f"DO INSERT INTO d.log (event, server) VALUES ('{name}', @@server_id)")
    shop.ask("ALTER EVENT d.stopped DISABLE")


def _last(shop, event):
    found = shop.ask(f"SELECT MAX(id) FROM d.log WHERE event = '{event}'")[0][0]
    return found or 0


def _runs_on_the_primary(shop):
    server = shop.ask("SELECT @@server_id")[0][0]
    last = _last(shop, "runs")
    wait_for("the event runs", lambda: _last(shop, "runs") > last, 30)
    wait_for("two more", lambda: _last(shop, "runs") > last + 1, 30)
    by = shop.ask(f"SELECT DISTINCT server FROM d.log WHERE id > {last}")
    assert [row[0] for row in by] == [server], by
    assert _last(shop, "never") == 0


def test_events_run_on_the_primary_through_a_switchover_and_a_failover(up, shop):
    _make(shop)
    _runs_on_the_primary(shop)
    time.sleep(1.5)  # a primary writes down once a second which events are disabled
    stopped = _last(shop, "stopped")

    before = shop.member("primary")
    answer = shop.client.post("/v1/clusters/shop/switchover", {})
    assert answer.status in (200, 202), answer
    shop.replaced(before)
    _runs_on_the_primary(shop)

    shop.healthy()
    dead = shop.member("primary")
    os.kill(servers(up.folder)[int(shop.primary()[1])], signal.SIGKILL)
    shop.replaced(dead)
    _runs_on_the_primary(shop)
    shop.healthy(HEAL_SECONDS)
    _runs_on_the_primary(shop)
    assert _last(shop, "stopped") == stopped, "a disabled event ran"
    for m in shop.show()["members"]:
        on = shop.ask("SELECT @@GLOBAL.event_scheduler", m["host"], m["port"])[0][0]
        assert (on == "ON") == (m["role"] == "primary"), (m["role"], on)
