// SPDX-License-Identifier: GPL-2.0-only
/*
 * The locks of sockets that must not change while both ends of a connection are read.
 * While they are held, packets wait.  A process outside may hold one for as long as a page
 * of its own takes: nobody waits.  C7.
 */
#include <linux/lockdep.h>

#include "tcp.h"

bool ckpt_tcp_own(struct ckpt_tcp_owned *o, struct sock *sk)
{
	bool ok = true;
	int i;

	for (i = 0; i < o->nr; i++)
		if (o->sk[i] == sk)
			return true;
	spin_lock_bh(&sk->sk_lock.slock);
	if (sk->sk_lock.owned) {
		ok = false;
	} else {
		sk->sk_lock.owned = 1;
		/* with that of a listener held, the options of what waits there are asked for */
		mutex_acquire(&sk->sk_lock.dep_map, SINGLE_DEPTH_NESTING, 1, _RET_IP_);
	}
	spin_unlock_bh(&sk->sk_lock.slock);
	if (ok)
		o->sk[o->nr++] = sk;
	return ok;
}

void ckpt_tcp_let_go(struct ckpt_tcp_owned *o)
{
	while (o->nr)
		release_sock(o->sk[--o->nr]);
}
