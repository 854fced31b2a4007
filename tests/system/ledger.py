# SPDX-License-Identifier: Apache-2.0
"""Writers that note each acknowledged row, and the check that none of them is lost.

Each id is used once: a row whose INSERT was cut off has an unknown outcome and may be there or not. A row that was
acknowledged must be on every member in the end, once; a row that was never sent must be nowhere."""
import itertools
import threading
import time

import pymysql

TABLE = "ledger.entries"
REFUSED = {1290, 1792, 1836, 3100}  # read-only: certainly not applied
TIMEOUT = 3


def connect(host, port, user, password, timeout=TIMEOUT, **more):
    return pymysql.connect(host=host, port=int(port), user=user, password=password, autocommit=True,
                           connect_timeout=timeout, read_timeout=more.pop("read_timeout", timeout),
                           write_timeout=timeout, **more)


def query(connection, sql, arguments=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall()


class Ledger:
    """`where()` gives (host, port) of the primary as the API tells it, or None. A statement that takes longer than `timeout`
    seconds is given up, its outcome unknown; the writer then asks anew where to write. `pace`: seconds
    that a writer rests after each row, so that replicas on a busy machine keep up."""

    def __init__(self, where, user, password, writers=4, timeout=TIMEOUT, pace=0):
        self.where, self.user, self.password, self.timeout, self.pace = where, user, password, timeout, pace
        self.acknowledged = {}  # id: when (monotonic seconds)
        self.unknown, self.refused = set(), set()
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._more = threading.Condition(self._lock)
        self._threads = [threading.Thread(target=self._write, args=(w,), daemon=True) for w in range(writers)]

    def prepare(self):
        with connect(*self.where(), self.user, self.password, read_timeout=30) as c:
            query(c, "CREATE DATABASE IF NOT EXISTS ledger")
            query(c, f"CREATE TABLE IF NOT EXISTS {TABLE} (id BIGINT PRIMARY KEY, writer INT, pad VARCHAR(100)) ENGINE=InnoDB")
            query(c, f"TRUNCATE TABLE {TABLE}")  # the ids begin anew with each ledger
        return self

    def __enter__(self):
        self.prepare()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(4 * TIMEOUT + self.timeout)
            assert not thread.is_alive(), "a writer hangs"

    def _write(self, writer):
        connection = None
        while not self._stop.is_set():
            if connection is None:
                connection = self._reconnect()
                continue
            with self._lock:
                number = next(self._ids)
            try:
                query(connection, f"INSERT INTO {TABLE} VALUES (%s, %s, %s)", (number, writer, "x" * 80))
                with self._more:
                    self.acknowledged[number] = time.monotonic()
                    self._more.notify_all()
                self._stop.wait(self.pace)
                continue
            except pymysql.err.MySQLError as error:
                refused = bool(error.args) and error.args[0] in REFUSED
            except OSError:
                refused = False
            with self._lock:
                (self.refused if refused else self.unknown).add(number)
            connection = _close(connection)
        _close(connection)

    def _reconnect(self):
        try:
            where = self.where()
            if where is not None:
                return connect(*where, self.user, self.password, self.timeout)
        except (OSError, pymysql.err.MySQLError, AssertionError):
            pass
        self._stop.wait(0.01)
        return None

    def wait_for_more(self, rows, seconds=60):
        """Until so many more rows are acknowledged."""
        with self._more:
            goal = len(self.acknowledged) + rows
            assert self._more.wait_for(lambda: len(self.acknowledged) >= goal, seconds), \
                f"{len(self.acknowledged)} of {goal} rows acknowledged after {seconds} s"

    def outage_after(self, moment, until=float("inf")):
        """Seconds from the moment to the first acknowledgement after it that followed a silence: the longest gap between
        acknowledgements that begins at or ends after the moment (and ends before `until`)."""
        times = sorted(t for t in self.acknowledged.values() if t <= until)
        before = [t for t in times if t <= moment]
        times = (before[-1:] or [moment]) + [t for t in times if t > moment]
        return max(b - a for a, b in zip(times, times[1:]))

    def _ids_at(self, host, port):
        """What a member has now: nothing, while it is rebuilt or has yet to replay the table's creation."""
        try:
            with connect(host, port, self.user, self.password, read_timeout=30) as c:
                return [row[0] for row in query(c, f"SELECT id FROM {TABLE}")]
        except (pymysql.err.OperationalError, pymysql.err.ProgrammingError):
            return []

    def check(self, members, seconds=60):
        """On every member (host, port): all that was acknowledged, each once, nothing that was never sent."""
        assert self._stop.is_set(), "stop the writers first"
        may_be_there = set(self.acknowledged) | self.unknown
        end = time.monotonic() + seconds
        contents = {}
        while True:
            for host, port in members:
                contents[(host, port)] = self._ids_at(host, port)
            lost = {where: sorted(set(self.acknowledged) - set(ids)) for where, ids in contents.items()}
            equal = len({tuple(sorted(ids)) for ids in contents.values()}) == 1
            if (equal and not any(lost.values())) or time.monotonic() > end:
                break
            time.sleep(0.1)
        assert not any(lost.values()), f"acknowledged, but lost: { {w: ids[:20] for w, ids in lost.items() if ids} }"
        assert equal, f"the members differ: { {w: len(ids) for w, ids in contents.items()} }"
        for where, ids in contents.items():
            strangers = set(ids) - may_be_there
            assert not strangers, f"rows at {where} that were refused or never sent: {sorted(strangers)[:20]}"
        return len(self.acknowledged)


def _close(connection):
    if connection is not None:
        try:
            connection.close()
        except (OSError, pymysql.err.MySQLError):
            pass
    return None
