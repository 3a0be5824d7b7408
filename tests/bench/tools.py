# SPDX-License-Identifier: GPL-2.0-only
"""The two tools that are compared: each runs the program, saves it, ends it, and brings it back."""
import bisect
import os
import re
import shutil
import signal
import subprocess

from machine import Failed, Peak, Watch, read, run, until

CGROUPS = "/sys/fs/cgroup"


class Program:
    """load(1) of tests/bench, alone or beside what a workload runs; it answers signals with a report."""

    def __init__(self, pid, report):
        self.pid, self.report = pid, report

    def ask(self, order, seconds=600):
        """The program's report after the order: 'fork-us', 'verified' and a list of gaps (from, to, cpu)."""
        if os.path.exists(self.report):
            os.unlink(self.report)
        os.kill(self.pid, order)
        until(lambda: os.path.exists(self.report) or not os.path.exists(f"/proc/{self.pid}"), seconds)
        if not os.path.exists(self.report):
            raise Failed("the program died")
        return parse_report(self.report)


def parse_report(path):
    found = {"gaps": []}
    for line in read(path).splitlines():
        key, *values = line.split()
        if key == "gap":
            found["gaps"].append(tuple(int(v) for v in values))
        else:
            found[key] = int(values[0])
    return found


def unions(gaps):
    """{cpu: its gaps as a list of (begin, end) in order, those that touch made one}"""
    on = {}
    for begin, end, cpu in sorted(gaps):
        spans = on.setdefault(cpu, [])
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((begin, end))
    return on


def longest_stop(gaps, witness):
    """The longest gap in ms, but for what a witness on the same processor saw at the same time: that is the machine's."""
    longest, on = 0, unions(witness)
    for begin, end, cpu in gaps:
        seen, spans = 0, on.get(cpu, [])
        for i in range(max(0, bisect.bisect(spans, (begin,)) - 1), len(spans)):
            if spans[i][0] >= end:
                break
            seen += max(0, min(end, spans[i][1]) - max(begin, spans[i][0]))
        longest = max(longest, end - begin - seen)
    return longest / 1000


class Tool:
    """What both have in common. A tool saves to self.image, a file or directory in the work directory."""

    name = ""
    cgroup = ""

    def __init__(self, work, load, witness):
        self.work, self.load, self.witness = work, load, witness
        self.report, self.image, self.log = f"{work}/report", f"{work}/image", f"{work}/program.log"
        self.program = None

    def find(self):
        """The program among the tasks of the cgroup: the first load that is no child of one."""
        for where, _, _ in os.walk(self.cgroup):
            for pid in read(f"{where}/cgroup.procs").split():
                try:
                    stat = read(f"/proc/{pid}/stat")
                    parent = read(f"/proc/{stat.rpartition(')')[2].split()[1]}/comm")
                except OSError:
                    continue
                if "(load)" in stat and parent != "load\n":
                    return int(pid)
        return None

    def start(self, workload):
        """Runs the workload until it is ready."""
        for path in (self.report, f"{self.work}/ready"):
            if os.path.exists(path):
                os.unlink(path)
        self.launch(workload.command(self.load, self.report, self.work))
        until(lambda: os.path.exists(self.report) or not self.alive(), 900)
        if workload.foreign:
            until(lambda: os.path.exists(f"{self.work}/ready") or not self.alive(), 900, 0.05)
        if not self.alive():
            raise Failed(f"the program does not start: {read(self.log)[-300:]}")
        self.program = Program(until(self.find, 60), self.report)

    def pause(self, action):
        """What action() returns, and how long the program stood still meanwhile, in ms."""
        # The witness has work for a processor: it stands still while nobody asks for a pause.
        os.kill(self.witness.pid, signal.SIGCONT)
        try:
            self.witness.ask(signal.SIGUSR2)
            self.program.ask(signal.SIGUSR2)
            result = action()
            gaps = self.program.ask(signal.SIGUSR1)["gaps"]
            # a gap shorter than a millisecond is not noted
            return result, max(1.0, longest_stop(gaps, self.witness.ask(signal.SIGUSR1)["gaps"]))
        finally:
            os.kill(self.witness.pid, signal.SIGSTOP)

    def timed(self, action, restart=False):
        """What Watch says of it"""
        watch = Watch(self.witness.pid, self.cgroup, restart, self.daemon())
        action()
        return watch.stop()

    def daemon(self):
        """The process that works for the tool, if any."""
        return None

    def measure_save(self, action):
        """{"pause", "ms", "tool", "kernel"}, all in ms, of what saves the running program"""
        measured, pause = self.pause(lambda: self.timed(action))
        return {"pause": pause, **measured}

    def measure_memory(self, action):
        peak = Peak()
        try:
            action()
        finally:
            most = peak.stop()
        return most

    def measure_restart(self, action, client=None):
        """The same but the pause, until the program answers, and the workload's client, if any, has its answer."""

        def answer():
            action()
            self.program = Program(until(self.find, 60), self.report)
            self.program.ask(signal.SIGUSR1)
            if client:
                self.client(client)

        return self.timed(answer, restart=True)

    def verify(self):
        if self.program.ask(signal.SIGURG)["verified"] != 1:
            raise Failed("the memory is not what it was")

    def forget(self):
        """Removes what was saved."""
        if os.path.isdir(self.image):
            shutil.rmtree(self.image)
        elif os.path.exists(self.image):
            os.unlink(self.image)


class Ckptfs(Tool):
    name = "ckptfs"
    cgroup = f"{CGROUPS}/ckpt/bench"
    place = "/ckpt/bench"

    def daemon(self):
        return int(run(["pidof", "ckptfs"]))

    def said(self, error):
        log = read(f"{self.place}/log").strip()
        return Failed(log or str(error))

    def launch(self, command):
        run(["ckpt", "run", "-d", "-n", "bench", "--", *command])
        self.log = "/var/log/ckpt/bench.log"

    def alive(self):
        try:
            return "state: running" in read(f"{self.place}/status")
        except OSError:
            return False

    def end(self):
        if self.alive():
            run(["ckpt", "kill", "bench"])
            until(lambda: not self.alive() and not os.path.exists(self.cgroup), 120, 0.01)

    def forget(self):
        super().forget()
        if os.path.isdir(f"{self.place}/snapshots"):
            for name in os.listdir(f"{self.place}/snapshots"):
                if name != "latest":
                    os.unlink(f"{self.place}/snapshots/{name}")
        run(["ckpt", "gc"])

    def save(self):
        try:
            run(f"cat {self.place}/image >{self.image}")
        except Failed as e:
            raise self.said(e) from None

    def save_nowhere(self):
        try:
            run(f"cat {self.place}/image >/dev/null")
        except Failed as e:
            raise self.said(e) from None

    def save_first(self):
        self.save()

    def save_again(self):
        self.save()

    def save_command(self):
        run(["ckpt", "save", "bench", self.image])

    def restart(self):
        os.makedirs(self.place, exist_ok=True)
        try:
            run(["cp", self.image, f"{self.place}/restart"])
        except Failed as e:
            raise self.said(e) from None

    def restart_command(self):
        os.makedirs(self.place, exist_ok=True)
        run(["ckpt", "restart", "bench", self.image])

    def restart_snapshot(self):
        run(["cp", f"{self.place}/snapshots/latest", f"{self.place}/restart"])

    def client(self, command):
        until(lambda: self.answers(command), 300, 0.01)

    def answers(self, command):
        return subprocess.run(["ckpt", "exec", "bench", "sh", "-c", command], check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def size(self):
        return os.path.getsize(self.image) // 1024

    def new_kib(self):
        """What the newest snapshot has that no earlier one had."""
        path = os.path.realpath(f"{self.place}/snapshots/latest")
        return int(os.getxattr(path, "user.ckptfs.stored")) // 1024


class Criu(Tool):
    """criu of Debian, or $CRIU, on the same program outside of a container."""

    name = "criu"
    cgroup = f"{CGROUPS}/bench-criu"
    program_of = os.environ.get("CRIU") or "criu"
    main = 0

    def enter(self):
        with open(f"{self.cgroup}/cgroup.procs", "w", encoding="utf-8") as file:
            file.write("0")

    def launch(self, command):
        os.makedirs(self.cgroup, exist_ok=True)
        with open(self.log, "w", encoding="utf-8") as log:
            self.main = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         start_new_session=True, preexec_fn=self.enter)

    def alive(self):
        try:
            return bool(read(f"{self.cgroup}/cgroup.procs").strip())
        except OSError:
            return False

    def end(self):
        if os.path.isdir(self.cgroup):
            with open(f"{self.cgroup}/cgroup.kill", "w", encoding="utf-8") as file:
                file.write("1")
            if self.main:
                self.main.wait()
            until(lambda: not self.alive(), 120, 0.01)
            until(lambda: not os.path.exists(f"/proc/{self.main.pid}"), 120, 0.01)

    def criu(self, *words, image=None, **more):
        image = image or self.image
        os.makedirs(image, exist_ok=True)
        log = f"{self.work}/criu.log"
        try:
            run([self.program_of, *words, "-D", image, "-o", log, "-v1", "--tcp-established"], **more)
        except Failed as e:
            lines = [line for line in read(log).splitlines() if "Error" in line] if os.path.exists(log) else []
            raise Failed(re.sub(r"^\([\d.]+\) *", "", lines[0]) if lines else str(e)) from None

    def save(self):
        self.criu("dump", "-R", "-t", str(self.main.pid))

    def save_first(self):
        self.criu("pre-dump", "--track-mem", "-t", str(self.main.pid), image=f"{self.image}.first")

    def save_again(self):
        self.criu("dump", "--track-mem", "-R", "-t", str(self.main.pid), "--prev-images-dir",
                  f"../{os.path.basename(self.image)}.first")

    def forget(self):
        super().forget()
        shutil.rmtree(f"{self.image}.first", ignore_errors=True)

    def restart(self):
        self.criu("restore", "-d", preexec_fn=self.enter)

    def client(self, command):
        until(lambda: subprocess.run(["sh", "-c", command], check=False, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0, 300, 0.01)

    def size(self):
        return sum(entry.stat().st_size for entry in os.scandir(self.image) if entry.is_file(follow_symlinks=False)) // 1024

    def new_kib(self):
        return self.size()
