# SPDX-License-Identifier: GPL-2.0-only
"""What the machine did while something was measured: time, processor time, memory."""
import os
import resource
import subprocess
import threading
import time


class Failed(Exception):
    """A command failed; the text says why."""


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def numbers(path):
    """The numbers of a file of lines 'KEY VALUE' or 'KEY: VALUE kB'; those of equal keys are added up."""
    found = {}
    for line in read(path).splitlines():
        words = line.replace(":", " ").split()
        if len(words) > 1 and words[1].isdigit():
            found[words[0]] = found.get(words[0], 0) + int(words[1])
    return found


def processors_ms():
    """Time in which any task ran on any processor so far, in ms."""
    return sum(int(line.split()[7]) for line in read("/proc/schedstat").splitlines() if line.startswith("cpu")) / 1e6


def task_ms(pid):
    """Processor time of a process and of its children that it has waited for, so far, in ms."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return sum(int(n) for n in fields[11:15]) * 1000 / os.sysconf("SC_CLK_TCK")


def group_ms(cgroup):
    """Processor time of a cgroup so far, in ms; none when it is not there."""
    try:
        return numbers(os.path.join(cgroup, "cpu.stat"))["usage_usec"] / 1000
    except OSError:
        return 0


def used_kib():
    """Memory that somebody uses, without the page cache and files in memory, in KiB. The pages that each processor keeps
    for its next need count as free."""
    memory = numbers("/proc/meminfo")
    free = memory["MemFree"] + memory["Buffers"] + memory["Cached"] + memory["SReclaimable"]
    return memory["MemTotal"] - free - 4 * numbers("/proc/zoneinfo").get("count", 0)


class Peak(threading.Thread):
    """The most memory that was used while it ran, beyond what was used when it began, in KiB."""

    def __init__(self):
        super().__init__(daemon=True)
        self.before, self.most, self.end = used_kib(), 0, threading.Event()
        self.start()

    def run(self):
        while not self.end.wait(0.05):
            self.most = max(self.most, used_kib() - self.before)

    def stop(self):
        self.end.set()
        self.join()
        return self.most


class Watch:
    """Wall clock and processor time: of the tool, which is what is waited for, the daemon and its children; and of the
    kernel, which is all the rest but this program, the witness and @cgroup, which has what is saved. While that is being
    restarted it works for the tool."""

    def __init__(self, witness, cgroup, restart, daemon):
        self.witness, self.cgroup, self.restart, self.daemon = witness, cgroup, restart, daemon
        self.before = self.used()
        self.begin = time.monotonic()

    def used(self):
        """(tool, everybody but the witness and the program) so far, in ms"""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        tool = (children.ru_utime + children.ru_stime) * 1000 + (task_ms(self.daemon) if self.daemon else 0)
        own = resource.getrusage(resource.RUSAGE_SELF)
        others = processors_ms() - task_ms(self.witness) - (own.ru_utime + own.ru_stime) * 1000
        program = group_ms(self.cgroup)
        return (tool + program, others) if self.restart else (tool, others - program)

    def stop(self):
        """{"ms", "tool", "kernel"}, all in ms"""
        ms = (time.monotonic() - self.begin) * 1000
        tool, everybody = (now - then for now, then in zip(self.used(), self.before))
        return {"ms": ms, "tool": tool, "kernel": max(0, everybody - tool)}


def run(command, limit=1800, **more):
    """Runs a command, or a line for the shell; Failed when it fails or takes longer."""
    child = subprocess.Popen(command, shell=isinstance(command, str), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True, **more)
    try:
        said, _ = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise Failed(f"{command} took longer than {limit} s") from None
    if child.returncode:
        raise Failed(said.strip() or f"exit status {child.returncode} of {command}")
    return said


def until(what, seconds, step=0.001):
    """Waits until what() is true; returns it, Failed when the time is over."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise Failed("it did not come in time")
        time.sleep(step)
    return found
