#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Apache Mesos 1.11.0 on loopback, for tests: one master and N agents, each a process of its own, out of the
libmesos inside the PyPI package mesos.scheduler. Nothing of Mesos is built; a small launcher (mesosd.cc) is.

As a module: with ApacheMesos(folder, agents=3) as mesos: ... mesos.master is "127.0.0.1:PORT".
By hand:     apache_mesos.py prepare | apache_mesos.py run FOLDER [--agents N]   (Ctrl-C ends it)
Needs root for cgroups (v1; without them plain processes are used), clang++-19, binutils, libsvn1, libapr1, libsasl2-2.
"""
import argparse
import base64
import fcntl
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import mesos_stubs  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE.parent.parent / "build" / "cache" / "apache-mesos"
PACKAGE = "mesos-scheduler"
FILE = "mesos.scheduler-1.11.0.linux-x86_64.tar.gz"
SHA256 = "1d376f20bca6d05ee8b90c1c123a452b28753497ccc2f1c80ea3ac94c12e8f6e"
COMPILER = "clang++-19"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START_SECONDS = 30


def _fetch():
    """The package's bytes, over pip's own session, so that the machine's pip settings hold."""
    from pip._internal.commands.download import DownloadCommand
    command = DownloadCommand("download", "fetches one file")
    options, _ = command.parse_args([])
    session = command._build_session(options, retries=3, timeout=30)
    page = session.get(options.index_url.rstrip("/") + f"/{PACKAGE}/",
                       headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    page.raise_for_status()
    url = next(f["url"] for f in page.json()["files"] if f["filename"] == FILE)
    answer = session.get(url)
    answer.raise_for_status()
    data = answer.content
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise RuntimeError(f"{FILE} has a wrong SHA-256")
    return data


def prepare():
    """Fetches, checks and compiles what is not there yet; returns the launcher."""
    CACHE.mkdir(parents=True, exist_ok=True)
    library, daemon, helper = CACHE / "libmesos.so", CACHE / "mesosd", CACHE / "mesos-containerizer"
    with open(CACHE / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            unfinished = CACHE / "libmesos.so.tmp"
            with tarfile.open(fileobj=io.BytesIO(_fetch())) as tar:
                member = next(m for m in tar.getmembers() if m.name.endswith("/_scheduler.so"))
                with tar.extractfile(member) as source, open(unfinished, "wb") as target:
                    shutil.copyfileobj(source, target)
            mesos_stubs.make(unfinished, CACHE, COMPILER.replace("++", ""))
            unfinished.rename(library)
        source = HERE / "mesosd.cc"
        if not daemon.exists() or daemon.stat().st_mtime < source.stat().st_mtime:
            subprocess.run([COMPILER, "-std=c++20", "-O1", "-rdynamic", "-o", f"{daemon}.tmp", str(source), "-ldl",
                            "-Wl,--disable-new-dtags,-rpath,$ORIGIN"], check=True, timeout=300)
            os.rename(f"{daemon}.tmp", daemon)
        if not helper.is_symlink():
            helper.symlink_to("mesosd")
    return daemon


def _has_cgroup_v1():
    return os.geteuid() == 0 and os.path.isdir("/sys/fs/cgroup/freezer") and os.path.isdir("/sys/fs/cgroup/memory")


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class ApacheMesos:
    """The processes by name: "master", "agent-0"...; each can be killed and started again. `places` may give, by name, an
    address other than loopback's and what to put before the command, so that it runs on a machine that has it. `credential`,
    a principal and its secret, is then needed for everything that the master serves over HTTP."""

    def __init__(self, folder, agents=3, resources="cpus:4;mem:4096;disk:20000;ports:[{0}-{1}]", agent_flags=None, places=None,
                 credential=None):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.daemon = prepare()
        self.tag = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        self.nodes = {}
        self.processes = {}
        self.places = places or {}
        port = _free_port()
        self.master = f"{self._place('master')[0]}:{port}"
        self.credential = credential
        self._node("master", ["master"], port, {"work_dir": str(self.folder / "master"), **self._authentication()})
        first = 31000 + os.getpid() % 50 * 20
        for i in range(agents):
            ports = resources.format(first + 300 * i, first + 300 * i + 19)
            base = self.folder / f"agent-{i}"
            flags = {"work_dir": str(base / "work"), "runtime_dir": str(base / "run"), "launcher_dir": str(CACHE),
                     "fetcher_cache_dir": str(base / "fetch"), "systemd_enable_support": "false", "resources": ports,
                     "cgroups_root": f"mysos-test-{self.tag}-{i}",
                     "executor_environment_variables": json.dumps({"PATH": PATH})}
            if _has_cgroup_v1():
                flags["isolation"] = "cgroups/cpu,cgroups/mem,filesystem/linux"
            else:
                flags.update(isolation="posix/cpu,posix/mem,filesystem/posix", launcher="posix")
            flags.update(agent_flags or {})
            self._node(f"agent-{i}", ["agent", self.master], _free_port(), flags)

    def _authentication(self):
        if self.credential is None:
            return {}
        file = self.folder / "credentials"
        file.touch(mode=0o600)
        principal, secret = self.credential
        file.write_text(json.dumps({"credentials": [{"principal": principal, "secret": secret}]}), encoding="utf-8")
        asked = ("authenticate_http_frameworks", "authenticate_http_readonly", "authenticate_http_readwrite")
        return {"credentials": f"file://{file}", "http_framework_authenticators": "basic", **dict.fromkeys(asked, "true")}

    def _place(self, name):
        return self.places.get(name, ("127.0.0.1", []))

    def _node(self, name, arguments, port, flags):
        address, prefix = self._place(name)
        environment = {"PATH": PATH, "LIBPROCESS_IP": address, "LIBPROCESS_PORT": str(port),
                       "LIBPROCESS_NUM_WORKER_THREADS": "4", "MESOS_HOSTNAME": address}
        for key, value in flags.items():
            environment["MESOS_" + key.upper()] = value
            if key.endswith("_dir") and key != "launcher_dir":
                os.makedirs(value, exist_ok=True)
        self.nodes[name] = {"command": [*prefix, str(self.daemon), *arguments], "environment": environment, "port": port,
                            "flags": flags}

    def run(self, name):
        node = self.nodes[name]
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(node["command"], env=node["environment"], stdin=subprocess.DEVNULL,
                                                    stdout=log, stderr=log, cwd=self.folder, start_new_session=True)

    def kill(self, name, number=signal.SIGKILL):
        self.processes[name].send_signal(number)
        if number == signal.SIGKILL:
            self.processes[name].wait(10)

    def get(self, path):
        return self._ask(urllib.request.Request(f"http://{self.master}{path}"))

    def post(self, path, body):
        return self._ask(urllib.request.Request(f"http://{self.master}{path}", data=json.dumps(body).encode(), method="POST",
                                                headers={"Content-Type": "application/json"}))

    def _ask(self, request):
        if self.credential is not None:
            given = base64.b64encode(":".join(self.credential).encode()).decode()
            request.add_header("Authorization", f"Basic {given}")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read()

    def agents(self):
        return json.loads(self.get("/master/slaves"))["slaves"]

    def _until(self, what, condition):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    tail = (self.folder / f"{name}.log").read_text(errors="replace")[-800:]
                    raise RuntimeError(f"Mesos' {name} ended with {process.returncode}:\n{tail}")
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"Mesos: {what} is not there after {START_SECONDS} s; see {self.folder}")

    def __enter__(self):
        try:
            self.run("master")
            self._until("the master", lambda: self.get("/master/health") == b"")
            names = [n for n in self.nodes if n != "master"]
            for name in names:
                self.run(name)
            self._until("an agent", lambda: len(self.agents()) >= len(names))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        agents = [n for n in self.processes if n != "master"]
        for name in agents:
            self.processes[name].send_signal(signal.SIGUSR1)  # executors are shut down, then the agent ends
        end = time.monotonic() + 6
        while time.monotonic() < end and any(self.processes[n].poll() is None for n in agents):
            time.sleep(0.05)
        for process in self.processes.values():
            process.kill()
            process.wait(10)
        for name in agents:
            self._clean(self.nodes[name]["flags"])
        self.processes.clear()

    @staticmethod
    def _clean(flags):
        """What an agent's containers left: their processes (only those that it recorded), cgroups and mounts."""
        freezer = pathlib.Path("/sys/fs/cgroup/freezer", flags["cgroups_root"])
        for procs in freezer.rglob("cgroup.procs") if freezer.is_dir() else []:
            for pid in procs.read_text().split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if not freezer.is_dir():
            for pid in pathlib.Path(flags["runtime_dir"], "containers").rglob("pid"):
                if not (pid.parent / "termination").exists():
                    try:
                        os.killpg(int(pid.read_text()), signal.SIGKILL)
                    except (ProcessLookupError, ValueError):
                        pass
        mounts = [line.split()[1] for line in open("/proc/self/mounts", encoding="utf-8")]
        for point in reversed([m for m in mounts if (m + "/").startswith(flags["work_dir"] + "/")]):
            subprocess.run(["umount", "-l", point], timeout=20, check=False)
        end = time.monotonic() + 3
        tops = [t for t in pathlib.Path("/sys/fs/cgroup").glob("*/" + flags["cgroups_root"]) if t.is_dir()]
        while time.monotonic() < end and any(t.is_dir() for t in tops):
            for top in tops:
                for folder, _, _ in os.walk(top, topdown=False):
                    try:
                        os.rmdir(folder)
                    except OSError:
                        pass
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare")
    run = commands.add_parser("run")
    run.add_argument("folder")
    run.add_argument("--agents", type=int, default=3)
    options = parser.parse_args()
    if options.command == "prepare":
        print(prepare())
        return
    with ApacheMesos(options.folder, options.agents) as mesos:
        print(mesos.master, flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
