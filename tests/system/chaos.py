#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""chaos.py: faults at random, several at once, on real servers under an Apache Mesos, each agent on a network of its own; by
the dice of a seed, round after round. After each round the faults end, the cluster must be healthy with no hand, and every
acknowledged row must be on every member. For as long as somebody likes: ./test does not run it.

Needs root, MYSOS_BINARY or build/release/mysos, and tools/get-mysql. The first round that fails ends it: its strikes are
printed, and the folder with all logs is kept.
"""
import argparse
import contextlib
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.error

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tools")]

from conftest import VERSIONS, Shop  # noqa: E402
from faults import kill  # noqa: E402
from mysos_process import executor_of, servers  # noqa: E402
from world import CONTROL, a_world  # noqa: E402

STRIKES = 10          # in a round
HEAL_SECONDS = 240    # a member may have to be rebuilt, after another
CHECK_SECONDS = 240
LONGEST = 6           # seconds of a fault that lasts
PACE = 0.01


class Round:
    """Strikes, each with its end; what is still on at the end of the round is ended then."""

    def __init__(self, world, shop, dice):
        self.world, self.shop, self.dice = world, shop, dice
        self.began = time.monotonic()
        self.story, self.ends, self.cuts = [], [], []
        self.lock = threading.Lock()

    def tell(self, what):
        self.story.append(f"{time.monotonic() - self.began:7.3f} {what}")

    def ends_in(self, seconds, end):
        self.ends.append(threading.Timer(seconds, end))
        self.ends[-1].start()

    def victim(self, members, primary):
        chosen = next((m for m in members if m["id"] == primary), None)
        return chosen if chosen and self.dice.random() < 0.5 else self.dice.choice(members)

    def strike(self, members):
        primary = None
        with contextlib.suppress(OSError, AssertionError, KeyError, ValueError):
            shown = self.shop.show()
            members, primary = shown["members"], shown["primary"]
        at = self.victim(members, primary)
        kind = self.dice.choice([self.ends_process, self.ends_process, self.freezes, self.freezes, self.cuts_off, self.cuts_off,
                                 self.hits_scheduler, self.asks])
        kind(at, "primary" if at["id"] == primary else "replica")
        return members

    def processes(self, at):
        """(name, pid) of its server, its executor or both, where they run."""
        found = {}
        with contextlib.suppress(AssertionError):
            found["executor"] = executor_of(self.world.mesos.folder, at)
        if (pid := servers(self.world.mesos.folder).get(at["port"])) is not None:
            found["server"] = pid
        wanted = self.dice.choice([["server"], ["server"], ["executor"], ["server", "executor"]])
        return [(name, found[name]) for name in wanted if name in found]

    def ends_process(self, at, role):
        pids = self.processes(at)
        kill(pid for _, pid in pids)
        self.tell(f"kill {role} {at['id']}: {[name for name, _ in pids]}")

    def freezes(self, at, role):
        pids, seconds = self.processes(at), self.dice.uniform(0.1, LONGEST)
        self._freeze([pid for _, pid in pids], seconds)
        self.tell(f"freeze {role} {at['id']}: {[name for name, _ in pids]} for {seconds:.2f} s")

    def _freeze(self, pids, seconds):
        def send(number):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        send(signal.SIGSTOP)
        self.ends_in(seconds, lambda: send(signal.SIGCONT))

    def cuts_off(self, at, role):
        place = self.world.machine_of(at)
        others = self.world.others(place)
        apart = self.dice.choice([[], others, [CONTROL], ["clients"], [*others, "clients"], [CONTROL, "clients"],
                                  [self.dice.choice(others)]])
        seconds = self.dice.uniform(0.1, LONGEST)
        with self.lock:
            self.cuts.append((place, *apart))
            self.world.machines.cut(place, *apart)
        self.ends_in(seconds, lambda cut=(place, *apart): self.mend(cut))
        self.tell(f"cut {role} {at['id']} on {place} from {apart or 'everyone'} for {seconds:.2f} s")

    def mend(self, cut):
        with self.lock:
            self.cuts.remove(cut)
            self.world.machines.heal()
            for other in self.cuts:
                self.world.machines.cut(*other)

    def hits_scheduler(self, _at, _role):
        up, seconds = self.world.up, self.dice.uniform(0.1, LONGEST)
        if up.process.poll() is not None:
            return
        if self.dice.random() < 0.5:
            self._freeze([up.process.pid], seconds)
            return self.tell(f"freeze the scheduler for {seconds:.2f} s")
        up.kill()
        self.ends_in(seconds, up.spawn)
        self.tell(f"kill the scheduler, start it after {seconds:.2f} s")

    def asks(self, at, role):
        what = self.dice.choice(["switchover", "failover"])
        try:
            body = {"to": at["id"]} if what == "switchover" else {}
            answer = self.shop.client.post(f"/v1/clusters/{self.shop.name}/{what}", body).status
        except (OSError, urllib.error.URLError) as error:
            answer = error
        self.tell(f"ask for a {what} to {role} {at['id']}: {answer}")

    def run(self):
        members = self.shop.show()["members"]
        try:
            for _ in range(STRIKES):
                members = self.strike(members)
                time.sleep(self.dice.choice([0.02, 0.2, 1, 3]) * self.dice.random())
        finally:
            for end in self.ends:
                end.join(2 * LONGEST)
        self.tell("all faults end")


def rounds(world, shop, options):
    shop.client.patience = 1  # a writer does not wait for a scheduler that is frozen
    until, number, rows = time.monotonic() + 60 * options.minutes, 0, 0
    while time.monotonic() < until:
        seed = options.seed + number
        one = Round(world, shop, random.Random(seed))
        try:
            with shop.ledger(timeout=1, pace=PACE) as ledger:
                ledger.wait_for_more(50)
                one.began = time.monotonic()
                one.run()
                ledger.wait_for_more(50, HEAL_SECONDS)
                if one.dice.random() < 0.5:
                    shop.healthy(HEAL_SECONDS)
            took = time.monotonic()
            shop.healthy(HEAL_SECONDS)
            rows += ledger.check(shop.addresses(), CHECK_SECONDS)
        except BaseException:
            print(f"  seed {seed}:\n    " + "\n    ".join(one.story), flush=True)
            raise
        number += 1
        print(f"  seed {seed}: {len(ledger.acknowledged)} rows, epoch {shop.show()['epoch']}, healthy and complete "
              f"{time.monotonic() - took:.0f} s after the writers ended", flush=True)
        if options.story:
            print("    " + "\n    ".join(one.story), flush=True)
    return f"{number} rounds, {number * STRIKES} strikes, {rows} acknowledged rows, none lost"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each has the next one")
    parser.add_argument("--version", choices=VERSIONS, action="append", help="only this one")
    parser.add_argument("--story", action="store_true", help="print the strikes of each round")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("chaos.py: it makes network namespaces, for which it must be root")
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell that put this into the background has them ignored
        signal.signal(number, signal.default_int_handler)
    work = pathlib.Path(tempfile.mkdtemp(prefix="mysos-chaos-", dir="/var/tmp"))
    work.chmod(0o755)
    for version in options.version or VERSIONS:
        try:
            with a_world(work / version) as world:
                print(f"{version}: {rounds(world, Shop(world.up.client, version), options)}", flush=True)
        except BaseException:
            print(f"kept for a look: {work}", flush=True)
            raise
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
