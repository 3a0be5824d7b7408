// SPDX-License-Identifier: GPL-2.0-only
/* What a program may count on of a processor, and of the kernel's vdso. */
#include <linux/xxhash.h>
#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/vdso.h>

#include "arch.h"

/* instructions that programs look for and then use */
static const struct {
	u16 feature;
	const char *name;
} features[] = {
#define FEATURE(f) { X86_FEATURE_##f, #f }
	FEATURE(CX16), FEATURE(LAHF_LM), FEATURE(POPCNT), FEATURE(XMM3), FEATURE(SSSE3),
	FEATURE(XMM4_1), FEATURE(XMM4_2), FEATURE(SSE4A), FEATURE(PCLMULQDQ), FEATURE(AES),
	FEATURE(MOVBE), FEATURE(F16C), FEATURE(RDRAND), FEATURE(RDSEED), FEATURE(FMA),
	FEATURE(FMA4), FEATURE(XOP), FEATURE(TBM), FEATURE(ABM), FEATURE(3DNOWPREFETCH),
	FEATURE(AVX), FEATURE(AVX2), FEATURE(BMI1), FEATURE(BMI2), FEATURE(ADX),
	FEATURE(CLFLUSHOPT), FEATURE(CLWB), FEATURE(SHA_NI), FEATURE(FSGSBASE),
	FEATURE(RDTSCP), FEATURE(RDPID), FEATURE(RTM), FEATURE(HLE), FEATURE(XSAVE),
	FEATURE(XSAVEOPT), FEATURE(XSAVEC), FEATURE(GFNI), FEATURE(VAES), FEATURE(VPCLMULQDQ),
	FEATURE(AVX512F), FEATURE(AVX512DQ), FEATURE(AVX512IFMA), FEATURE(AVX512CD),
	FEATURE(AVX512BW), FEATURE(AVX512VL), FEATURE(AVX512VBMI), FEATURE(AVX512_VBMI2),
	FEATURE(AVX512_VNNI), FEATURE(AVX512_BITALG), FEATURE(AVX512_VPOPCNTDQ),
	FEATURE(AVX512_BF16), FEATURE(AVX512_FP16), FEATURE(AVX_VNNI), FEATURE(AMX_TILE),
	FEATURE(AMX_INT8), FEATURE(AMX_BF16), FEATURE(WAITPKG), FEATURE(MOVDIRI),
	FEATURE(MOVDIR64B), FEATURE(SERIALIZE), FEATURE(CLZERO), FEATURE(PKU),
#undef FEATURE
};

/* which of them this processor has, by the kernel's words; @words: CKPT_FEATURE_WORDS */
void ckpt_arch_features(u32 *words)
{
	int i;

	memset(words, 0, CKPT_FEATURE_WORDS * sizeof(*words));
	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (boot_cpu_has(features[i].feature))
			words[features[i].feature / 32] |= 1U << features[i].feature % 32;
}

const char *ckpt_arch_feature_name(u32 word, u32 bits)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].feature / 32 == word && bits & 1U << features[i].feature % 32)
			return features[i].name;
	return "one that this version does not know";
}

void ckpt_arch_system(struct ckpt_image_system *sys)
{
	sys->vdso_size = kv_vdso_image_64->size;
	sys->vdso_sum = xxh64(kv_vdso_image_64->data, kv_vdso_image_64->size, 0);
	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		sys->xfeatures = xgetbv(XCR_XFEATURE_ENABLED_MASK);
}
