# SPDX-License-Identifier: Apache-2.0
"""An application that takes every connection, with several accounts, and takes each again that becomes free."""
import contextlib
import os
import signal
import threading

from ledger import connect
from mysos_process import HEAL_SECONDS, servers, wait_for

THREADS = 150  # a member of this size has room for 74


class Flood:
    """Sessions to every member, opened anew as soon as they end."""

    def __init__(self, shop, accounts):
        self.addresses, self.stop, self.open, self.refused = shop.addresses(), threading.Event(), 0, 0
        self.threads = [threading.Thread(target=self._run, args=(accounts[i % len(accounts)],)) for i in range(THREADS)]

    def _run(self, account):
        held = {}
        while not self.stop.is_set():
            for at in self.addresses:
                if at in held:
                    with contextlib.suppress(Exception):
                        held[at].ping(reconnect=False)
                        continue
                    held.pop(at)
                try:
                    held[at] = connect(*at, *account)
                    self.open += 1
                except Exception as error:  # noqa: BLE001 - whatever the server says, it is asked again
                    self.refused += "1040" in str(error)
            self.stop.wait(0.05)
        for c in held.values():
            c.close()

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join()


def test_replicas_come_back_and_a_failover_works_while_an_application_takes_every_connection(up, shop):
    accounts = [(shop.user, shop.password)]
    for i in range(2):
        mariadb = shop.show()["version"].startswith("mariadb")
        shop.ask(f"CALL mysos.create_user('more{i}', 'pw')" if mariadb else f"CREATE USER more{i} IDENTIFIED BY 'pw'")
        accounts.append((f"more{i}", "pw"))

    with Flood(shop, accounts) as flood:
        wait_for("every connection is taken", lambda: flood.refused > 300, 60)
        replica = next(m for m in shop.show()["members"] if m["role"] == "replica")
        os.kill(servers(up.folder)[replica["port"]], signal.SIGKILL)
        wait_for("the replica is away", lambda: shop.show()["state"] != "healthy", 20)
        again = shop.healthy(HEAL_SECONDS)
        assert again["mode"] == "normal"

        dead = shop.member("primary")
        os.kill(servers(up.folder)[dead["port"]], signal.SIGKILL)
        shop.replaced(dead)
        assert shop.healthy(HEAL_SECONDS)["mode"] == "normal"
        refused = flood.refused
        wait_for("they are all taken again", lambda: flood.refused > refused + 300, 60)
    assert "solo_entered" not in [e["kind"] for e in up.client.events("shop")]
    wait_for("clients get in again", lambda: _works(shop), 30)


def _works(shop):
    with contextlib.suppress(Exception):
        return shop.ask("SELECT 1")[0][0] == 1
    return False
