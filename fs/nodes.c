// SPDX-License-Identifier: GPL-2.0-only
#include "node.h"

#define NODE(kind, name) [NODE_##kind] = &name##_node,
const struct node *const nodes[NR_NODES] = {
#include "nodes.def"
};
#undef NODE
