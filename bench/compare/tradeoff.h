/* The settings that --tradeoffs varies, one at a time. Pure: a table. */
#ifndef RS_COMPARE_TRADEOFF_H
#define RS_COMPARE_TRADEOFF_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rs_tradeoff {
    const char *option, *value; /* without the dashes */
    bool iocp, rio;             /* servers that it applies to */
} rs_tradeoff;

uint32_t rs_tradeoff_count(void);
const rs_tradeoff *rs_tradeoff_at(uint32_t index); /* index < rs_tradeoff_count() (asserted) */

/* rs_tradeoff_applies: to the server of that name. */
bool rs_tradeoff_applies(const rs_tradeoff *tradeoff, const char *server);

#endif
