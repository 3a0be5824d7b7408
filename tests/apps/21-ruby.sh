#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Ruby with threads, a queue, fibers, and a child at the end of a pipe; its clients ask it over a unix socket.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"
. "$CKPT_TOP/tests/lib/apps.sh"

cat >server.rb <<'END_OF_FILE'
require "socket"
words = (0...20000).to_h { |i| ["key#{i}", "word #{i * i}"] }
queue, mutex, count, sum = SizedQueue.new(10), Mutex.new, 0, 0
fiber = Fiber.new { n = 0; loop { Fiber.yield(n += 1) } }
100.times { fiber.resume }
child = IO.popen(["ruby", "--disable-gems", "-e", "$stdout.sync = true; while l = gets; puts l.to_i * 3; end"], "r+")
3.times do
  Thread.new { while n = queue.pop; mutex.synchronize { count += 1; sum += n }; end }
end
Thread.new { n = 0; loop { queue << (n += 1); sleep 0.005 } }
server = UNIXServer.new("ruby.sock")
loop do
  client = server.accept
  case client.gets.chomp
  when "words" then client.puts "#{words.size} #{words.to_a.join.sum(32)}"
  when "fiber" then client.puts fiber.resume
  when "count" then client.puts count
  when "child"
    child.puts 14
    client.puts child.gets
  when "sum"
    # What the threads have counted is what the queue gave them: 1 + 2 + ... + count.
    client.puts(mutex.synchronize { (sum - count * (count + 1) / 2).abs <= 40 + 3 * (count + 10) ? "right" : "#{sum} of #{count}" })
  when "threads" then client.puts "#{Process.pid} #{Thread.list.size}"
  end
  client.close
end
END_OF_FILE
ask() {
	ruby --disable-gems -rsocket -e 'Dir.chdir(ARGV[0]); s = UNIXSocket.new("ruby.sock"); s.puts ARGV[1]; puts s.gets' "$T" "$1" 2>/dev/null
}
answers() {
	[ -n "$(ask count)" ]
}

# looks WHEN NEXT: the fiber is asked for its next number.
looks() {
	local before

	is "S10 ruby, $1: its hash" "$(ask words)" "$words"
	is "T1 ruby, $1: its pid and threads" "$(ask threads)" "$threads"
	is "S10 ruby, $1: a fiber goes on" "$(ask fiber)" "$2"
	is "C3 ruby, $1: its child answers through pipes" "$(ask child)" 42
	before=$(ask count)
	nap 0.5
	is "T5 ruby, $1: threads take from a queue" "$(($(ask count) > before))" 1
	is "T5 ruby, $1: and nothing is lost in it" "$(ask sum)" right
}

which ruby >/dev/null || skip_all "D1 ruby goes back to where it was" "there is no ruby here"
start ruby 'exec ruby --disable-gems server.rb'
wait_until 60 answers || die "ruby does not answer: $(cat /var/log/ckpt/ruby.log)"
words=$(ask words) threads=$(ask threads)
is "S10 ruby: a fiber" "$(ask fiber)" 101
taken ruby ruby
looks "gone on" 102
back ruby ruby
comes "C6 ruby, restarted: its socket answers" 30 answers
looks restarted 102
