/* A lowering without shaders: each op node becomes a run node of an abstract kernel (`spirv -`)
 * with the same uses and members. Schedule, placement, barriers and the checker do not know the
 * difference, so that what they do with ops can be tested on thousands of graphs in seconds. */
#ifndef RP_TESTS_ABSTRACT_LOWERING_H
#define RP_TESTS_ABSTRACT_LOWERING_H

#include "reprise/passes.h"

const rp_lowering *abstract_lowering(void);

#endif
