/* SPDX-License-Identifier: GPL-2.0-only */
/* behind each #include of symbols.def */
#undef CKPT_FUNC
#undef CKPT_FUNC_HIDDEN
#undef CKPT_SYSCALL
#undef CKPT_VAR
#undef CKPT_VAR_HIDDEN
#undef CKPT_VAR_OPT
#undef CKPT_ADDR
#undef CKPT_FOR
