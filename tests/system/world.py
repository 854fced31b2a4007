# SPDX-License-Identifier: Apache-2.0
"""Apache Mesos and `mysos scheduler` on machines of their own (netns.py): three agents, and one for master and scheduler."""
import contextlib

from apache_mesos import ApacheMesos, prepare
from mysos_process import MYSQL9, Up, user_flags
from netns import Machines

AGENTS = ("agent-0", "agent-1", "agent-2")
CONTROL = "control"


class OnMachines(Up):
    """`mysos scheduler` on the machine `control`."""

    def __init__(self, folder, master, machines):
        super().__init__(folder, prefix=machines.prefix(CONTROL))
        address = machines.address[CONTROL]
        self.url = f"http://{address}:{self.port}"
        self.flags = [*user_flags(), f"--master={master}", f"--listen={address}", "--mysql-root=/", f"--mysql-root={MYSQL9}"]

    def command(self, *arguments):
        return super().command(*(("scheduler", *arguments[1:]) if arguments[0] == "up" else arguments))


class World:
    def __init__(self, machines, mesos, up):
        self.machines, self.mesos, self.up = machines, mesos, up

    def machine_of(self, at):
        return next(name for name in AGENTS if self.machines.address[name] == at["host"])

    def others(self, name):
        return [n for n in AGENTS if n != name]


@contextlib.contextmanager
def a_world(work):
    prepare()  # while the outside can still be reached: it may have to be fetched
    with Machines(CONTROL, *AGENTS) as machines:
        places = {name: (machines.address[name], machines.prefix(name)) for name in AGENTS}
        places["master"] = (machines.address[CONTROL], machines.prefix(CONTROL))
        with ApacheMesos(work / "mesos", agents=len(AGENTS), places=places) as mesos:
            up = OnMachines(work / "scheduler", mesos.master, machines)
            try:
                yield World(machines, mesos, up.start())
            finally:
                machines.heal()
                up.close()
