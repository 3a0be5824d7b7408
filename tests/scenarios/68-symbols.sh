#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A symbol that the kernel lacks disables what needs it and says so, not the module. The kernel is one that has them all:
# each time the module is loaded with names in it that no kernel has.
#
# timeout: 800

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

module=$CKPT_BUILD/kernel/$(uname -r)/ckpt.ko
[ -e "$module" ] || module=$CKPT_BUILD/kernel/debug/ckpt.ko

# without SYMBOL...: loads the module, which finds none of them: their last letter has become an X. Fails as insmod does.
without() {
	local i

	cp "$module" ckpt.ko
	perl -0777 -pi -e '
		BEGIN { @names = splice(@ARGV, 1); }
		for my $name (@names) {
			my $wrong = substr($name, 0, -1) . "X";
			s/\0\Q$name\E\0/\0$wrong\0/g == 1 or die "$name is not in the module once\n";
		}' ckpt.ko "$@" || return 99
	# Deferred work of the last close may hold the module for an instant.
	for ((i = 0; i < 50; i++)); do
		[ -e /sys/module/ckpt ] || break
		rmmod ckpt || sleep 0.1
	done
	dmesg -C
	insmod ckpt.ko
}

# start NAME CODE: a container with this Python program in it, which says when it is ready.
start() {
	rm -f "$T/$1.ready"
	container "$1" -- python3 -c "
import ctypes, os, select, socket, threading, time
libc = ctypes.CDLL(None)
$2
open('$T/$1.ready', 'w').close()
threading.Event().wait()" && wait_until 60 test -e "$T/$1.ready"
}

# refuses ROW NAME WHAT REGEX...: a checkpoint fails, with a line in the log for each.
refuses() {
	local row=$1 name=$2 what=$3 log
	shift 3

	fails "$row $what: no checkpoint" cat "/ckpt/$name/image"
	log=$(<"/ckpt/$name/log")
	for regex; do
		matches "$row $what: $regex" "$log" "$regex"
	done
}

# refuses_restart ROW IMAGE WHAT REGEX: and that of an image from before fails before anything is made.
refuses_restart() {
	mkdir -p /ckpt/again
	fails "$1 $3: no restart" cp "$2" /ckpt/again/restart
	matches "$1 $3: and it says why" "$(</ckpt/again/log)" "$4"
	rmdir /ckpt/again
}

# What everybody needs.
fails "S14 without tasklist_lock the module does not load" without tasklist_lock
matches "S14 and says why" "$(dmesg)" "ckpt: this kernel has no tasklist_locX, without which nothing can be saved"

# What needs a symbol of its own.
files_code='
epoll = select.epoll()
timer = libc.syscall(283, 1, 0)
import fcntl
locked = open("'"$T"'/held", "w")
fcntl.flock(locked, fcntl.LOCK_EX)
tcp = socket.socket()
udp6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
assert timer >= 0'
tasks_code='
import mmap
assert libc.syscall(154, 1, (ctypes.c_uint * 4)(0, 0, 4095, 0x51), 16) == 0
assert libc.syscall(324, 16, 0) == 0
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE)
assert libc.mlock(ctypes.byref(ctypes.c_char.from_buffer(memory)), ctypes.c_size_t(4096)) == 0
threading.Thread(target=libc.sleep, args=(10000,)).start()
threading.Thread(target=lambda: select.poll().poll(10000000)).start()
threading.Thread(target=lambda: threading.Event().wait(10000)).start()
time.sleep(1)'

# Images of the module that has all.
insmod "$module"
start plain '' || die "no container"
start eventfd 'fd = os.eventfd(1)' || die "no container with an eventfd"
start watches '
r, w = os.pipe()
silent = select.epoll()
silent.register(r, select.EPOLLIN | select.EPOLLONESHOT)
os.write(w, b"x")
silent.poll(0)' || die "no container with a watch that has fired"
start locked '
import fcntl
locked = open("'"$T"'/held", "w")
fcntl.lockf(locked, fcntl.LOCK_EX)' || die "no container with a lock"
start tasks "$tasks_code" || die "no container with tasks of all kinds"
start ipc 'assert libc.shmget(0, 4096, 0o1600) >= 0' || die "no container with a segment of System V"
for name in plain eventfd watches locked tasks ipc; do
	checkpoint $name $name || die "no image of $name"
	kill_container $name
done

# One kind of file: it alone is refused.
ok "S14 without eventfd2 the module loads" without __x64_sys_eventfd2
matches "S14 and says what is off" "$(dmesg)" \
	"ckpt: eventfds are not supported on this kernel, which has no __x64_sys_eventfdX"
ok "S14 without eventfd2: a container without one restarts" restart plain plain
ok "S14 without eventfd2: and is checkpointed" checkpoint plain again
kill_container plain
start eventfd 'fd = os.eventfd(1)'
refuses S14 eventfd "without eventfd2" \
	"^task [0-9]+ \(python3\) fd [0-9]+: eventfds are not supported on this kernel, which has no __x64_sys_eventfdX"
kill_container eventfd
refuses_restart S14 eventfd "without eventfd2" "eventfds are not supported on this kernel, which has no __x64_sys_eventfdX"

# Not even what such a file looks like is known.
ok "S14 without eventfd_fops the module loads" without eventfd_fops
start eventfd 'fd = os.eventfd(1)'
refuses S14 eventfd "without eventfd_fops" \
	"fd [0-9]+: a file of kind anon_inodefs \(.*eventfd.*\) is not supported; this kernel has no eventfd_fopX"
kill_container eventfd

# Objects of an ipc namespace: a container without any is none of their business.
ok "S14 C8 without semop the module loads" without __x64_sys_semop
matches "S14 C8 and says what is off" "$(dmesg)" \
	"ckpt: objects of System V IPC are not supported on this kernel, which has no __x64_sys_semoX"
ok "S14 C8 without semop: a container without an object restarts" restart plain plain
ok "S14 C8 without semop: and is checkpointed" checkpoint plain again
kill_container plain
start ipc 'assert libc.shmget(0, 4096, 0o1600) >= 0'
refuses C8 ipc "without semop" \
	'the container has System V shared memory segments, which are not supported on this kernel, whose structs are not known'
kill_container ipc
refuses_restart C8 ipc "without semop" "objects of System V IPC are not supported on this kernel, which has no __x64_sys_semoX"

# Everything else that can be missing, each named at once.
ok "S14 without fifteen more the module loads" without __x64_sys_epoll_create1 get_epoll_tfile_raw_ptr \
	__x64_sys_timerfd_create do_tcp_getsockopt do_ipv6_getsockopt __x64_sys_modify_ldt __x64_sys_membarrier \
	__x64_sys_mlock2 hrtimer_nanosleep_restart do_restart_poll futex_wait_restart bpf_get_btf_vmlinux \
	btf_type_by_id __x64_sys_eventfd2 fcntl_setlk
lacks='are not supported on this kernel, which has no'
for line in "file locks and leases $lacks fcntl_setlX" "epoll files $lacks __x64_sys_epoll_createX" "timerfds $lacks __x64_sys_timerfd_creatX" \
	"TCP and UDP sockets $lacks do_tcp_getsockopX" "IPv6 sockets $lacks do_ipv6_getsockopX" \
	"segments of modify_ldt\(2\) $lacks __x64_sys_modify_ldX" \
	"registrations with membarrier\(2\) $lacks __x64_sys_membarrieX" "locked mappings $lacks __x64_sys_mlockX" \
	"sleeps in nanosleep\(2\) $lacks hrtimer_nanosleep_restarX" "sleeps in poll\(2\) $lacks do_restart_polX" \
	"sleeps on a futex with a timeout $lacks futex_wait_restarX" \
	"lookups in its type information \(BTF\) $lacks bpf_get_btf_vmlinuX" \
	"epoll files without type information \(BTF\) $lacks get_epoll_tfile_raw_ptX"; do
	matches "S14 ${line%% are *} are off" "$(dmesg)" "ckpt: $line"
done
start plain ''
ok "S14 without all of these: a container with none is checkpointed" checkpoint plain again
kill_container plain
start all "$files_code$tasks_code"
refuses S14 all "without all of these" "fd [0-9]+: file locks and leases $lacks fcntl_setlX" "epoll files $lacks __x64_sys_epoll_createX" \
	"timerfds $lacks __x64_sys_timerfd_creatX" "fd [0-9]+: TCP and UDP sockets $lacks do_tcp_getsockopX" \
	"segments of modify_ldt\(2\) $lacks __x64_sys_modify_ldX" \
	"registrations with membarrier\(2\) $lacks __x64_sys_membarrieX" "locked memory on a kernel without mlock2\(2\)" \
	"cannot be resumed \(hrtimer_nanosleep_restart" "cannot be resumed \(do_restart_poll" \
	"cannot be resumed \(futex_wait_restart"
kill_container all

# An image with one of these is refused before anything is made.
for symbol in __x64_sys_modify_ldt __x64_sys_membarrier __x64_sys_mlock2 hrtimer_nanosleep_restart do_restart_poll \
	futex_wait_restart; do
	without $symbol
	refuses_restart S14 tasks "without $symbol" "$lacks ${symbol%?}X"
done

without fcntl_setlk
refuses_restart S14 locked "without fcntl_setlk" "file locks and leases $lacks fcntl_setlX"

# Without type information few watches are had, and a fired one is not.
ok "S14 K30 without type information the module loads" without bpf_get_btf_vmlinux
matches "S14 K30 and says so" "$(dmesg)" \
	'ckpt: this kernel has no type information \(BTF\) of epoll files, which are supported with up to 1000 watches'
few='
r, w = os.pipe()
epoll = select.epoll()
for i in range(%d):
	epoll.register(os.dup(r), select.EPOLLIN)
import signal
signal.signal(signal.SIGUSR1, lambda *_: (os.write(w, b"x"), open("'$T'/found", "w").write(str(len(epoll.poll(1, 9000))))))'
# shellcheck disable=SC2059 # it is a format
start few "$(printf "$few" 1000)"
ok "C4 K30 without type information: 1000 watches are saved" checkpoint few few
kill_container few
ok "C4 K30 without type information: and restored" restart few few
kill -USR1 "$(init_of few)"
wait_until 20 test -s found
is "C4 K30 without type information: all of them report" "$(<found)" 1000
kill_container few
# shellcheck disable=SC2059
start many "import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))$(printf "$few" 1001)"
refuses K30 many "without type information, 1001 watches" \
	"an epoll file with 1001 watches is not supported on this kernel, which has no type information \(BTF\) of it: at most 1000"
kill_container many
refuses_restart C4 watches "without type information, a watch that has fired" \
	"a watch with EPOLLONESHOT that has fired is not supported on this kernel, which has no type information \(BTF\)"
start watches '
r, w = os.pipe()
silent = select.epoll()
silent.register(r, select.EPOLLIN | select.EPOLLONESHOT)
os.write(w, b"x")
silent.poll(0)'
refuses C4 watches "without type information, a watch that has fired" \
	"a watch with EPOLLONESHOT that has fired is not supported on this kernel"
kill_container watches
start ipc 'assert libc.shmget(0, 4096, 0o1600) >= 0'
refuses C8 ipc "without type information, System V" \
	'the container has System V shared memory segments, which are not supported on this kernel, whose structs are not known'
kill_container ipc
refuses_restart C8 ipc "without type information, System V" \
	"objects of System V IPC are not supported on this kernel, whose structs are not known"

rmmod ckpt
ok "S14 the whole module is back" insmod "$module"
for name in eventfd watches locked tasks ipc; do
	ok "S14 and so is $name" restart $name $name
	kill_container $name
done
