# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a running `mysos up`, and the server versions that tests run over. What is missing fails: nothing is skipped."""
import contextlib
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))

from ledger import Ledger, connect, query  # noqa: E402
from mysos_process import BINARY, HEAL_SECONDS, MYSQL9, Up, member, wait_for  # noqa: E402

VERSIONS = ("mariadb-10.11", "mysql-9")


@pytest.fixture(scope="session", autouse=True)
def what_tests_need():
    assert BINARY.exists(), f"{BINARY} is not built"
    assert (MYSQL9 / "usr" / "sbin" / "mysqld").exists(), "tools/get-mysql has not been run"


@pytest.fixture(params=VERSIONS, scope="module")
def version(request):
    return request.param


@pytest.fixture(scope="module")
def work(request):
    """A folder on a real disk, where any user may pass through; kept, and named, where a test failed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mysos-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    before = request.session.testsfailed
    yield folder
    if request.session.testsfailed == before:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"\nkept for a look: {folder}")


@pytest.fixture(scope="module")
def up(work):
    """One `mysos up` for the tests of a module."""
    running = Up(work / "up")
    try:
        yield running.start()
    finally:
        running.close()


@pytest.fixture()
def own_up(work, request):
    """A `mysos up` for one test alone, which may kill and restart it."""
    started = []
    folder = work / f"own-{abs(hash(request.node.name)) % 100000}"

    def make(*flags):
        started.append(Up(folder, *flags))
        return started[-1].start()

    make.dir = lambda: folder  # for what shall be there before it starts
    yield make
    for running in started:
        running.close()


class Shop:
    """A cluster of three named shop, and ways to look at it."""

    def __init__(self, client, version, name="shop", **more):
        self.client, self.name = client, name
        client.create(name, version, **more)
        found = client.credentials(name)
        self.user, self.password = found["user"], found["password"]

    def show(self):
        return self.client.cluster(self.name)

    def primary(self):
        """(host, port) where clients write now, or None."""
        where = self.show()["endpoints"]["primary"]
        return tuple(where.rsplit(":", 1)) if where else None

    def member(self, role):
        return member(self.show(), role)

    def addresses(self):
        return [(m["host"], m["port"]) for m in self.show()["members"]]

    def ledger(self, writers=4, **more):
        return Ledger(self.primary, self.user, self.password, writers, **more)

    @contextlib.contextmanager
    def under_writes(self, seconds=60, **more):
        """Writers before, during and after what the block does; then all is healthy with no hand, and within `seconds` every
        member has all that was acknowledged."""
        with self.ledger(**more) as ledger:
            ledger.wait_for_more(100)
            yield ledger
            ledger.wait_for_more(100, HEAL_SECONDS)
            self.healthy()
            ledger.wait_for_more(50)
        ledger.check(self.addresses(), seconds)

    def failovers(self):
        """The sentences of all that were begun on evidence, oldest first."""
        return [e["message"] for e in sorted(self.client.events(self.name), key=lambda e: e["seq"])
                if e["kind"] == "failover_started"]

    def calm(self):
        """Healthy, and the count of primaries that did not last begun anew: tests replace them faster than the pause allows
        that Mysos makes when one after the other dies. An operator's failover does that."""
        epoch = self.healthy()["epoch"]
        answer = self.client.post(f"/v1/clusters/{self.name}/failover", {})
        assert answer.status in (200, 202), answer
        wait_for("the operator's failover is done", lambda: self.show()["epoch"] > epoch and self.primary(), HEAL_SECONDS)
        return self.healthy()

    def replaced(self, old, seconds=HEAL_SECONDS):
        """Waits until another than the member `old` is the primary and can be written to; returns the cluster."""
        def seen():
            now = self.show()
            return now if now["primary"] != old["id"] and now["endpoints"]["primary"] else None

        return wait_for(f"another member than {old['id']} is primary", seen, seconds)

    def connect(self, host, port, **more):
        return connect(host, port, self.user, self.password, **more)

    def ask(self, sql, host=None, port=None):
        if host is None:
            host, port = wait_for("there is a primary", self.primary, HEAL_SECONDS)
        with self.connect(host, port) as c:
            return query(c, sql)

    def healthy(self, seconds=90):
        return self.client.wait_state(self.name, "healthy", seconds)


@pytest.fixture()
def shop(up, version):
    cluster = Shop(up.client, version)
    yield cluster
    if any(c["name"] == cluster.name for c in up.client.clusters()):
        up.client.remove(cluster.name)
