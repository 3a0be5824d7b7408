// SPDX-License-Identifier: GPL-2.0-only
/* SYSTEM: what a restart must find again, and the clocks. */
#include <linux/ktime.h>
#include <linux/uuid.h>

#include "arch.h"
#include "system.h"


static uuid_t boot_id;

/*
 * The id that the kernel gives each boot.  Without /proc we make one up: images
 * of this boot then look as if they came from another, and clocks are shifted.
 */
int ckpt_system_init(void)
{
	char text[UUID_STRING_LEN + 1] = "";
	struct file *file;
	loff_t pos = 0;
	bool known = false;

	file = filp_open("/proc/sys/kernel/random/boot_id", O_RDONLY, 0);
	if (!IS_ERR(file)) {
		known = kernel_read(file, text, UUID_STRING_LEN, &pos) == UUID_STRING_LEN &&
			!uuid_parse(text, &boot_id);
		fput(file);
	}
	if (!known)
		uuid_gen(&boot_id);
	return 0;
}

static void read_clocks(struct ckpt_image_system *sys)
{
	sys->boottime_ns = ktime_get_boottime_ns();
	sys->monotonic_ns = ktime_get_ns();
	sys->realtime_ns = ktime_get_real_ns();
}

int ckpt_save_system(struct ckpt_checkpoint *cp)
{
	struct ckpt_image_system *sys;

	sys = ckpt_rec(cp, CKPT_REC_SYSTEM, sizeof(*sys));
	if (!sys)
		return -ENOMEM;
	ckpt_arch_system(sys);
	read_clocks(sys);
	ckpt_save_set_clock(cp, sys->monotonic_ns);
	export_uuid(sys->boot_id, &boot_id);
	return 0;
}

/*
 * Can this kernel run what that one ran?  Within one boot the clocks go on and
 * nothing is shifted; after a boot, a sleep has as much left as it had.
 */
int ckpt_check_system(struct ckpt_log *log, const struct ckpt_image_system *then,
		      s64 *shift_ns)
{
	struct ckpt_image_system now = {};
	uuid_t id;

	ckpt_arch_system(&now);
	read_clocks(&now);
	if (then->vdso_sum != now.vdso_sum || then->vdso_size != now.vdso_size)
		return ckpt_fail(log, -EINVAL,
				 "the image was made on another kernel: its vdso does not match this one's; boot that kernel to restart it");
	if (then->xfeatures & ~now.xfeatures)
		return ckpt_fail(log, -EINVAL,
				 "the image needs processor features that this machine has not (xstate %#llx)",
				 then->xfeatures & ~now.xfeatures);
	import_uuid(&id, then->boot_id);
	*shift_ns = uuid_equal(&id, &boot_id) ? 0 : now.monotonic_ns - then->monotonic_ns;
	return 0;
}
