#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A terminal for a program in a container: it works like the host's, and is not the host's.
#
# timeout: 900

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

container web -- sleep 100000 || die "no container"

# talk.py PROGRAM... : runs it in a terminal of 77 columns and 33 rows; lines of standard input are "wait TEXT" and
# "type TEXT" (escapes as in Python), "signal NAME" and "resize COLUMNS ROWS"; what it prints goes to standard output.
cat >"$T/talk.py" <<'END'
import fcntl, os, pty, select, signal, struct, sys, termios
pid, master = pty.fork()
if pid == 0:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
def more():
    global seen
    try:
        data = os.read(master, 4096)
    except OSError:
        return False
    seen += data
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return bool(data)
for line in sys.stdin:
    verb, text = line.rstrip("\n").split(" ", 1)
    if verb == "wait":
        while text.encode() not in seen and more():
            pass
        if text.encode() not in seen:
            print("\nNEVER SEEN:", text)
            break
        seen = seen.split(text.encode(), 1)[1]
    elif verb == "type":
        os.write(master, text.encode().decode("unicode_escape").encode("latin-1"))
    elif verb == "signal":
        os.kill(pid, getattr(signal, text))
    elif verb == "resize":
        columns, rows = map(int, text.split())
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
while more():
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)
END
talk() {
	timeout -k 5 $((300 * PATIENCE)) python3 "$T/talk.py" "$@" | tr -d '\r'
	return "${PIPESTATUS[0]}"
}

for how in "ckpt exec web" "ckpt run -n fore --"; do
	# shellcheck disable=SC2086 # words
	{
		is "U14 $how: streams that are no terminal stay what they are" "$(echo hello | $how cat | tr a-z A-Z)" HELLO
		is "U14 $how: and there is no terminal to open" "$($how sh -c ': </dev/tty' </dev/null 2>&1 | grep -c 'No such device')" 1
		is "U14 $how: in a terminal all streams are one" "$(talk $how sh -c 'tty; test -t 1 && test -t 2 && echo all' </dev/null | sed 's/[0-9]*$//' | xargs)" "/dev/pts/ all"
		outer=$(talk sh -c "tty; $how tty" </dev/null | sort -u | wc -l)
		is "U14 $how: but another than the host's" "$outer" 2
		is "U14 $how: it is the program's controlling terminal" "$(talk $how sh -c 'echo yes >/dev/tty' </dev/null)" yes
		is "U14 $how: its size is that of the host's" "$(talk $how stty size </dev/null)" "33 77"
		is "U14 $how: only the streams that are a terminal" "$(talk sh -c "echo piped | $how sh -c 'cat; test -t 0 || echo no; test -t 1 && echo yes'" </dev/null | xargs)" "piped no yes"
		is "U14 $how: exit status" "$(talk $how sh -c 'exit 7' </dev/null; echo $?)" 7
		is "U14 $how: all that is printed arrives" "$(talk $how seq 20000 </dev/null | cksum)" "$(seq 20000 | cksum)"
		# the byte that ends the input comes before the program looks for it
		is "U14 $how: what is typed arrives" "$(talk $how sh -c 'echo ready; read -r line; echo "got $line"' <<'END' | tail -n 1
wait ready
type some words\r
wait got some words
END
)" "got some words"
		is "U14 $how: ^C is the program's" "$(talk $how sh -c 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.1; done' <<'END' >talked; echo "$? $(tail -n 1 talked)"
wait ready
type \x03
wait caught
END
)" "9 ^Ccaught"
		is "U14 $how: a signal to the command, too" "$(talk $how sh -c 'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.1; done' <<'END' >talked; echo "$? $(tail -n 1 talked)"
wait ready
signal SIGTERM
wait caught
END
)" "9 caught"
		is "U14 $how: another size" "$(talk $how bash -c 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.1; done' <<'END' | tail -n 1
wait ready
resize 99 44
wait 44 99
END
)" "44 99"
		is "U14 $how: the host's terminal is as before" "$(talk sh -c "stty -g; $how true; stty -g; $how sh -c 'kill -KILL \$\$'; stty -g" </dev/null | grep : | sort -u | wc -l)" 1
		# Linux 6.2 and later may forbid it to all but root, which this is.
		is "U14 $how: what it types into its terminal is not for the host's" "$(talk sh -c "
			$how python3 -c '
import fcntl, termios
for c in b\"echo pwned\\n\":
    fcntl.ioctl(0, termios.TIOCSTI, bytes([c]))'
			read -r -t 2 line; echo \"then: \$line\"" </dev/null | tail -n 1)" "then: "
	}
done
is "U14 ckpt run in a terminal ends with its container" "$(talk ckpt run -n fore -- sh -c 'echo ready; while :; do sleep 0.1; done' <<'END' >talked; echo $?
wait ready
signal SIGTERM
END
)" 143
ok "U14 which is gone" wait_until 20 is_gone fore
is "U14 nothing is left of the terminals" "$(pgrep -x ckpt | wc -l)" "$(pgrep -x -f 'ckpt run -d.*' | wc -l)"
