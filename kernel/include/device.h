/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CKPT_DEVICE_H
#define _CKPT_DEVICE_H

int ckpt_device_init(void);
void ckpt_device_exit(void);

#endif
