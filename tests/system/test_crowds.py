# SPDX-License-Identifier: Apache-2.0
"""Somebody opens thousands of connections to an HTTP port, and says nothing, or one byte at a time. Health checks, clients
with a token, scheduler and router are served as before, and memory stays bounded."""
import contextlib
import pathlib
import re
import resource
import selectors
import socket
import threading
import time

import pymysql
import pytest
from mysos_process import Client, Up, executors, wait_for

CROWD = 3000
MOST_SECONDS = 1.0
MOST_MEMORY = 150 << 20


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= 4 * CROWD, "this test needs more open files"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def one(work):
    """`mysos up` with a cluster of one member; was started with a low limit of open files."""
    up = Up(work / "up", agents=1, prefix=("prlimit", "--nofile=1024:"))
    try:
        up.start().client.create("shop", "mariadb", members=1)
        yield up
    finally:
        up.close()


class Crowd:
    """CROWD connections to each address. Whoever is closed comes again; every second one sends a byte now and then."""

    def __init__(self, *addresses):
        self.places = [address for address in addresses for _ in range(CROWD)]
        self.opened = 0
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _open(self, number):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(self.places[number])
        self._selector.register(s, selectors.EVENT_READ, number)
        self.opened += 1

    def _run(self):
        for number in range(len(self.places)):
            self._open(number)
        told = time.monotonic()
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.2)[:200]:
                with contextlib.suppress(OSError):
                    if key.fileobj.recv(1000):
                        continue
                self._selector.unregister(key.fileobj)
                key.fileobj.close()
                self._open(key.data)
            if time.monotonic() - told > 1:
                told = time.monotonic()
                for key in list(self._selector.get_map().values()):
                    if key.data % 2:
                        with contextlib.suppress(OSError):
                            key.fileobj.send(b"G")

    def __enter__(self):
        self._thread.start()
        wait_for("the crowd is there", lambda: self.opened >= len(self.places), 60)
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(20)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()


def seconds_of(call):
    began = time.monotonic()
    answer = call()
    assert answer.status == 200, answer
    return time.monotonic() - began


def metric(up, name):
    return float(re.search(rf"^{name} (\S+)$", up.client.get("/metrics").body, re.M).group(1))


def test_a_crowd_keeps_nobody_out(one):
    client = one.client
    member_port = client.cluster("shop")["members"][0]["api_port"]
    member = Client(f"http://127.0.0.1:{member_port}", "")
    assert member.get("/primary", token=False).status == 200
    known = client.credentials("shop")
    host, port = wait_for("the router has ports", lambda: client.cluster("shop")["endpoints"]["read_write"], 30).rsplit(":", 1)
    session = pymysql.connect(host=host, port=int(port), user=known["user"], password=known["password"], autocommit=True,
                              read_timeout=10, write_timeout=10)
    memory = metric(one, "mysos_process_resident_bytes")
    events = len(client.events("shop"))

    with Crowd(("127.0.0.1", one.port), ("127.0.0.1", member_port)) as crowd, session.cursor() as cursor:
        slowest = 0.0
        until = time.monotonic() + 15
        rounds = 0
        while time.monotonic() < until:
            rounds += 1
            slowest = max(slowest, seconds_of(lambda: client.get("/healthz", token=False)),
                          seconds_of(lambda: client.get("/v1/clusters")),
                          seconds_of(lambda: member.get("/primary", token=False)),
                          seconds_of(lambda: member.get("/healthz", token=False)))
            cursor.execute("SELECT 1")  # the router has not cut it
            time.sleep(0.1)
        assert client.get("/v1/clusters/shop/credentials").status == 200  # which is written down as an event
        grown = metric(one, "mysos_process_resident_bytes") - memory
        closed = metric(one, "mysos_http_connections_closed_total")

    print(f"{rounds} rounds, slowest {slowest:.3f} s; {crowd.opened} connections, {closed:.0f} closed by the API; "
          f"memory + {grown / 1e6:.0f} MB")
    assert slowest < MOST_SECONDS
    assert grown < MOST_MEMORY
    assert closed > CROWD - 1024
    assert client.cluster("shop")["state"] == "healthy"
    assert len(client.events("shop")) == events + 1, client.events("shop")


def test_it_takes_all_the_open_files_it_may_have(one):
    for pid in (one.process.pid, *executors(one.folder)):
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
        soft, hard = re.search(r"^Max open files +(\d+) +(\d+)", limits, re.M).groups()
        assert soft == hard, limits
