# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmark runs: workloads by name and parameters, 'private:512', 'processes:100x2'."""
import shutil
from dataclasses import dataclass, field

# What issue after issue is measured by; tests/bench/run without names runs them all.
DEFAULT = """
private:16 private:128 private:512 private:2048 huge:16 huge:128 huge:512 huge:2048
shared:512 memfd:512 shm:512 processes:100x2 processes:1000x1 mappings:10000 threads:200 threads:2000
descriptors:10000 redis:200000 jvm:50 postgresql:10 dirty:512x1
per-watch:20000 per-descriptor:10000 per-thread:4000 per-mapping:60000 per-process:2000 per-pipe:2000
""".split()


@dataclass
class Workload:
    name: str
    title: str
    options: list = field(default_factory=list)  # of load
    mib: int = 16  # about how much memory it has
    script: str = ""  # a program of its own, run by sh beside load
    needs: str = ""  # the program without which it cannot be
    client: str = ""  # succeeds when that program answers
    per_item: int = 0  # measured at this number and a tenth of it
    dirty: bool = False  # measured after a checkpoint and some writes

    @property
    def foreign(self):
        return bool(self.script)

    def command(self, load, report, work):
        if not self.script:
            return [load, *self.options, report]
        return ["sh", "-c", f"cd {work}; {load} {report} & {self.script}"]


# KIND: (title with places for the parameters, option of load for each parameter)
SIMPLE = {
    "private": ("{0} MiB of private memory", ["-p"]),
    "huge": ("{0} MiB of private memory in huge pages", ["-p"]),
    "shared": ("{0} MiB of shared anonymous memory", ["-s"]),
    "memfd": ("{0} MiB of a memfd", ["-m"]),
    "shm": ("{0} MiB of POSIX shared memory", ["-S"]),
    "processes": ("{0} processes of {1} MiB", ["-n", "-p"]),
    "mappings": ("{0} mappings", ["-M"]),
    "threads": ("{0} threads", ["-t"]),
    "descriptors": ("{0} descriptors", ["-d"]),
}
PER_ITEM = {
    "per-watch": ("epoll watches", "-w", 1),
    "per-descriptor": ("descriptors", "-d", 1),
    "per-thread": ("threads", "-t", 40),
    "per-mapping": ("mappings", "-M", 8),
    "per-process": ("processes", "-n", 300),
    "per-pipe": ("pipes", "-P", 8),
}

REDIS = """
redis-server --save '' --dir . >redis.log 2>&1 &
until [ "$(redis-cli ping 2>/dev/null)" = PONG ]; do sleep 0.1; done
seq -f 'SET key:%012.0f value-of-a-hundred-bytes-or-so-{pad}' {keys} | redis-cli --pipe >/dev/null
touch ready
while :; do redis-benchmark -q -t set,get -r {keys} -d 100 -c 10 -n 1000000 >/dev/null; done
"""

JVM = """
cat >Load.java <<'JAVA'
public class Load {{
	public static void main(String[] args) throws Exception {{
		byte[][] kept = new byte[{threads}][];
		for (int i = 0; i < {threads}; i++) {{
			final int n = i;
			new Thread(() -> {{
				for (long turn = 0; ; turn++) {{
					kept[n] = new byte[1 << 20];
					java.util.Arrays.fill(kept[n], (byte) turn);
					try {{ Thread.sleep(100); }} catch (InterruptedException e) {{ return; }}
				}}
			}}).start();
		}}
		try (var file = new java.io.FileWriter("ready")) {{ file.write("ready"); }}
	}}
}}
JAVA
java -Xmx256m Load.java >java.log 2>&1
"""

POSTGRESQL = """
bin=$(echo /usr/lib/postgresql/*/bin) data=$PWD/data
mkdir -p $data run && chown postgres $data run
as() {{ setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }}
as $bin/initdb -D $data >initdb.log
as $bin/postgres -D $data -k $PWD/run -c listen_addresses= -c shared_buffers=128MB >postgres.log 2>&1 &
until as psql -h $PWD/run -c 'select 1' postgres >/dev/null 2>&1; do sleep 0.1; done
as $bin/pgbench -q -i -s {scale} -h $PWD/run postgres >/dev/null 2>&1
touch ready
while :; do as $bin/pgbench -n -c 4 -T 600 -h $PWD/run postgres >/dev/null 2>&1; done
"""


def find(name):
    """The workload of that name; ValueError with a sentence when there is no such thing."""
    kind, _, rest = name.partition(":")
    try:
        values = [int(n) for n in rest.split("x")]
    except ValueError:
        raise ValueError(f"{name}: a workload is a kind and its numbers, such as {DEFAULT[0]}") from None
    if kind in SIMPLE and len(values) == len(SIMPLE[kind][1]):
        title, letters = SIMPLE[kind]
        options = [word for letter, value in zip(letters, values) for word in (letter, str(value))]
        memory = {"processes": values[0] * (values[-1] + 1), "mappings": values[0] // 100, "threads": values[0] // 10,
                  "descriptors": 64}.get(kind, values[0])
        return Workload(name, title.format(*values), options + (["-H"] if kind == "huge" else []), memory)
    if kind in PER_ITEM and len(values) == 1:
        what, letter, kib = PER_ITEM[kind]
        return Workload(name, f"{values[0]} and {values[0] // 10} {what}", [letter], values[0] * kib // 1024 + 16,
                        per_item=values[0])
    if kind == "dirty" and len(values) == 2:
        return Workload(name, f"{values[0]} MiB of which {values[1]} % is written between two checkpoints",
                        ["-p", str(values[0]), "-1", str(values[1] * 10)], values[0] * 2, dirty=True)
    if kind == "redis" and len(values) == 1:
        return Workload(name, f"Redis with {values[0]} keys under redis-benchmark", [], values[0] // 2000 + 64,
                        REDIS.format(keys=values[0], pad="x" * 60), "redis-server", "redis-cli ping | grep -q PONG")
    if kind == "jvm" and len(values) == 1:
        return Workload(name, f"a JVM with {values[0]} threads", [], 400, JVM.format(threads=values[0]), "java")
    if kind == "postgresql" and len(values) == 1:
        return Workload(name, f"PostgreSQL with pgbench of scale {values[0]}", [], 400 + values[0] * 16,
                        POSTGRESQL.format(scale=values[0]), "psql")
    kinds = ", ".join([*SIMPLE, *PER_ITEM, "dirty", "redis", "jvm", "postgresql"])
    raise ValueError(f"{name}: there is no such workload; kinds are {kinds}, numbers are as in -l")


def missing(workload):
    """What this machine lacks for it, or nothing."""
    return workload.needs if workload.needs and not shutil.which(workload.needs) else ""
