#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests' own tools.

# shellcheck source-path=SCRIPTDIR/../..
. "$CKPT_TOP/tests/lib/scenario.sh"

cat >results <<'END_RESULTS'
==> scenarios
6.1   ok     43-hostile         S16 D2 cp fails of a bad image
6.12  ok     43-hostile         S16 D2 cp fails of a bad image
6.12  ok     43-hostile         S16 K8: cp fails of another
6.1   FAIL   43-hostile         S3 it restarts
6.1   skip   36-refuse          C9 a terminal: there is none
6.1   ok     36-refuse          C5 flock is refused by name
6.1   ok     36-refuse          C10 aio is refused by name
6.1   time   36-refuse          12 s
unit  ok     store              D3 plain
host  ok     23-fs-many         it names nothing
      6.1   ok     30-redis    S1 a scenario's own output does not count
END_RESULTS

row() {
	grep "^$1 " table | sed 's/  */ /g'
}

"$CKPT_TOP/tests/lib/row-table" results >table
is "the table of rows: a clean list of tests is no failure" $? 0
is "the table of rows: it has every row once" "$(grep -cE '^[DSTCN][0-9]+ ' table)" \
	"$(grep -cE '^[DSTCN][0-9]+ ' "$CKPT_TOP/tests/rows")"
matches "the table of rows: tests count for each row that they name, on each kernel" "$(row S16)" ' 1 2 - -$'
matches "the table of rows: and for the second row" "$(row D2)" ' 1 1 - -$'
matches "the table of rows: a failed test proves nothing" "$(row S3)" ' - - - - <- none$'
matches "the table of rows: nor does one that was skipped" "$(row C9)" '<- none \(1 skipped\)$'
matches "the table of rows: a refusal does not make its row true" "$(row C5)" ' - - - 1 <- none$'
matches "the table of rows: but for the row of refusals" "$(row C10)" ' 1 - - -$'
matches "the table of rows: gaps are listed" "$(grep '^rows that no' table)" ': D1 .* S3 .* C5 .* N9$'
is "the table of rows: findings are listed" "$(grep '^findings' table)" "findings that tests name: K8 (1)"
is "the table of rows: so are tests that name nothing" "$(grep 'name neither' table)" \
	"tests that name neither: 1 of host 23-fs-many"
echo '6.1   ok     30-redis           S99 it works' >>results
fails "the table of rows: a test that names a row which there is not is a failure" \
	"$CKPT_TOP/tests/lib/row-table" results

cat >mutant.c <<'END_C'
/* a = comment(); */
static int helper(struct thing *t)
{
	int ret = start(t);
	struct thing *other = t->next, *third;

	if (ret)
		return ret;
	if (!t->ready) {
		ret = -EINVAL;
		goto out;
	}
	for (i = 0; i < 3; i++)
		t->a[i] = 0;
	list_for_each_entry(other, &t->list, list)
		put(other);
	*t->p = (u64)t->q;
	call_of_two(t, "a; {",
		    other);
	t->count++;
	t->flags |= ready(t) ?
		1 : 2;
	pr_debug("nothing");
out:
	unlock(&t->lock);
	return 0;
}
END_C
is "mutants: the statements that can be taken out" \
	"$("$CKPT_TOP/tests/mutate" --list -f mutant.c | sed 's/.*mutant.c://')" \
	"$(
		cat <<-'END_LIST'
			14 helper(): t->a[i] = 0;
			16 helper(): put(other);
			17 helper(): *t->p = (u64)t->q;
			18 helper(): call_of_two(t, "a; {", other);
			20 helper(): t->count++;
			21 helper(): t->flags |= ready(t) ? 1 : 2;
			25 helper(): unlock(&t->lock);
		END_LIST
	)"
