# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For scenarios around a program of tests/programs that checks itself (verdict.h there): takes it through its
# generations, lets it check itself in each, and reports each thing that it checks as one result.

# The container's directory for its words; programs in a container see it under the same name.
# shellcheck disable=SC2154 # $T
words() {
	echo "$T/$1"
}

# start_self_checking NAME PROGRAM [ARG...]: makes DIR and runs "PROGRAM DIR ARG..." in container NAME until it is
# ready.
start_self_checking() {
	local name=$1 program=$2
	shift 2

	mkdir -p "$(words "$name")"
	if ! container "$name" -- "$program" "$(words "$name")" "$@" ||
		! wait_until 30 test -e "$(words "$name")/ready"; then
		cat "/var/log/ckpt/$name.log"
		die "$name did not become ready"
	fi
}

# what_they_do NAME: every thread of the container with what it does in the kernel.
what_they_do() {
	local tid

	is_running "$1" || echo "nothing: it is not running"
	is_running "$1" && while read -r tid; do
		echo "$tid $(tr '\n' ' ' <"/proc/$tid/comm") $(sed -n 's/^State:\t//p' "/proc/$tid/status")" \
			"wchan $(<"/proc/$tid/wchan") syscall $(<"/proc/$tid/syscall")"
	done <"$(cgroup_of "$1")/cgroup.threads"
}

# check_itself NAME GENERATION: the program's verdicts go to the file of this generation.
check_itself() {
	local dir
	dir=$(words "$1")

	touch "$dir/check"
	if ! wait_until 30 test -e "$dir/verdict"; then
		fail "S1 $1, $2: it checks itself" "it did not end; it said at last:" \
			"$(tail -n 1 "$dir/verdict.part" 2>&1)" "$(tail -n 5 "/var/log/ckpt/$1.log" 2>&1)" \
			"it does:" "$(what_they_do "$1" 2>&1)" "the kernel says:" "$(dmesg | tail -n 5)"
		mv "$dir/verdict.part" "$dir/verdict" 2>/dev/null
	fi
	mv "$dir/verdict" "$dir/in-$2" 2>/dev/null
	rm -f "$dir/check" "$dir/verdict.part"
	echo "$2" >>"$dir/generations"
}

# rise NAME GENERATION FILE: whatever is left of the container goes, and it comes back from the image FILE.
rise() {
	kill_container "$1" >/dev/null 2>&1
	ok "S3 $1, $2: restarts" restart "$1" "$3" && wait_until 20 is_running "$1"
}

# report_verdicts NAME: one result for each thing that was checked; it must be good in every generation.
report_verdicts() {
	local dir generation line what
	local -a order=() generations=() bad
	local -A said=() known=()
	dir=$(words "$1")

	mapfile -t generations <"$dir/generations"
	for generation in "${generations[@]}"; do
		while read -r line; do
			what=${line#* } what=${what%% | *}
			[ -n "${known[$what]:-}" ] || order+=("$what")
			known[$what]=yes
			said[$generation $what]=$line
		done <"$dir/in-$generation"
	done
	for what in "${order[@]}"; do
		bad=()
		for generation in "${generations[@]}"; do
			line=${said[$generation $what]:-nothing was said}
			[ "$line" = "ok $what" ] || bad+=("$generation: $line")
		done
		if [ ${#bad[@]} = 0 ]; then
			pass "$what"
		else
			fail "$what" "${bad[@]}"
		fi
	done
}

# generations NAME: the container runs and is ready. Checkpoint; it goes on undisturbed; it is restarted twice from
# one image; a checkpoint of the second restart is restarted, too. A shell function before_check, if there is one, is
# called with NAME and the generation's name each time before the program checks itself.
generations() {
	local name=$1 dir image
	dir=$(words "$name")
	image=$dir/image

	ok "S1 $name: checkpoint" checkpoint "$name" "$image.1" || return
	generation "$name" undisturbed
	rise "$name" restarted "$image.1" && generation "$name" restarted
	if rise "$name" restarted-again "$image.1"; then
		if ok "S1 $name: checkpoint after a restart" checkpoint "$name" "$image.2"; then
			generation "$name" restarted-again
			rise "$name" second-generation "$image.2" && generation "$name" second-generation
		else
			generation "$name" restarted-again
		fi
	fi
	report_verdicts "$name"
}

# two_generations NAME: the same in fewer steps, for what takes long to look at itself: it is restarted, goes on after
# another checkpoint, and is restarted from that.
two_generations() {
	local name=$1 image
	image=$(words "$name")/image

	ok "S1 $name: checkpoint" checkpoint "$name" "$image.1" || return
	if rise "$name" restarted "$image.1"; then
		if ok "S1 $name: checkpoint after a restart" checkpoint "$name" "$image.2"; then
			generation "$name" restarted
			rise "$name" second-generation "$image.2" && generation "$name" second-generation
		else
			generation "$name" restarted
		fi
	fi
	report_verdicts "$name"
}

generation() {
	[ "$(type -t before_check)" != function ] || before_check "$@"
	check_itself "$@"
}
