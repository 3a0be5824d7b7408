// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

#include "call.h"
#include "device.h"
#include "file.h"
#include "ipc.h"
#include "symbols.h"
#include "system.h"
#include "task.h"

static int __init ckpt_init(void)
{
	int ret;

	ret = ckpt_symbols_init();
	if (ret)
		return ret;
	ckpt_watches_init();
	ckpt_mounts_init();
	ckpt_ttys_init();
	ckpt_ipc_init();
	ckpt_filters_init();
	ret = ckpt_system_init();
	if (ret)
		return ret;
	return ckpt_device_init();
}

static void __exit ckpt_exit(void)
{
	ckpt_device_exit();
	ckpt_calls_exit();
}

module_init(ckpt_init);
module_exit(ckpt_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Checkpoint and restart of containers");
