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
	ktime_t now = ktime_get();

	/* of one moment, so that they differ by what they were set apart */
	sys->monotonic_ns = ktime_to_ns(now);
	sys->boottime_ns = ktime_to_ns(ktime_mono_to_any(now, TK_OFFS_BOOT));
	sys->realtime_ns = ktime_to_ns(ktime_mono_to_real(now));
}

static int save_features(struct ckpt_rec_out *rec)
{
	struct ckpt_image_feature *img = ckpt_put_nr(rec, SYSTEM, FEATURES, CKPT_FEATURE_WORDS);
	u32 words[CKPT_FEATURE_WORDS];
	int i;

	if (!img)
		return -ENOMEM;
	ckpt_arch_features(words);
	for (i = 0; i < CKPT_FEATURE_WORDS; i++) {
		img[i].word = i;
		img[i].bits = words[i];
	}
	return 0;
}

int ckpt_save_system(struct ckpt_checkpoint *cp)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_SYSTEM);
	struct ckpt_image_system *sys = ckpt_put(rec, SYSTEM, BASE);

	if (!sys || save_features(rec))
		return -ENOMEM;
	ckpt_arch_system(sys);
	read_clocks(sys);
	ckpt_save_set_clock(cp, sys->monotonic_ns);
	export_uuid(sys->boot_id, &boot_id);
	return ckpt_done(cp, rec);
}

/* a program that found an instruction there must find it here */
static int check_features(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_feature *then;
	u32 now[CKPT_FEATURE_WORDS];
	int ret = 0;
	u64 i, nr;

	then = ckpt_get_nr(buf, SYSTEM, FEATURES, &nr);
	ckpt_arch_features(now);
	for (i = 0; i < nr; i++) {
		u32 has = then[i].word < CKPT_FEATURE_WORDS ? now[then[i].word] : 0;

		if (then[i].bits & ~has)
			ret = ckpt_fail(log, -EINVAL,
					"the image was made on a processor with %s, which this one has not",
					ckpt_arch_feature_name(then[i].word, then[i].bits & ~has));
	}
	return ret;
}

/*
 * Can this kernel run what that one ran?  Within one boot the clocks go on and
 * nothing is shifted; after a boot, a sleep has as much left as it had.  All
 * that stands in the way is in the log.
 */
int ckpt_check_system(struct ckpt_log *log, const struct ckpt_rec_buf *buf, s64 *shift_ns)
{
	const struct ckpt_image_system *then = ckpt_get(buf, SYSTEM, BASE);
	struct ckpt_image_system now = {};
	int ret = 0;
	uuid_t id;

	ckpt_arch_system(&now);
	read_clocks(&now);
	if (then->vdso_sum != now.vdso_sum || then->vdso_size != now.vdso_size)
		ret = ckpt_fail(log, -EINVAL,
				"the image was made on another kernel: its vdso does not match this one's; boot that kernel to restart it");
	if (then->xfeatures & ~now.xfeatures)
		ret = ckpt_fail(log, -EINVAL,
				"the image needs processor features that this machine has not (xstate %#llx)",
				then->xfeatures & ~now.xfeatures);
	import_uuid(&id, then->boot_id);
	*shift_ns = uuid_equal(&id, &boot_id) ? 0 : now.monotonic_ns - then->monotonic_ns;
	return check_features(log, buf) ? : ret;
}
