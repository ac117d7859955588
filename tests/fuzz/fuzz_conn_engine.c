/* SPDX-License-Identifier: MIT */
/* The connection engine driven by fuzzed bytes over each of the three kernels: every op in every
 * state, requests that end in any order, in parts or at once, calls and commits that fail, connects
 * that come back late, small polls. engine_bed.h checks each step; a crash or a failed assertion is
 * a finding. So is anything left at the end. */
#include <stddef.h>
#include <stdint.h>

#include "fuzz/script.h"
#include "unit/engine_bed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const rs_status failures[] = {RS_E_RESET, RS_E_NO_BUFFERS, RS_E_ABORTED, RS_E_OS};

static void step_submit(bed *b, script *s) {
    static const rs_op_kind kinds[] = {RS_OP_RECV,     RS_OP_SEND,  RS_OP_SEND,   RS_OP_SEND,
                                       RS_OP_SHUTDOWN, RS_OP_CLOSE, RS_OP_CONNECT};
    uint8_t choice = script_byte(s), where = script_byte(s);
    rs_op_kind kind = kinds[choice % 7u];
    uint32_t conn = where % BED_CONNS;
    uint32_t generation = b->owed[conn].generation;
    if (kind == RS_OP_CONNECT && !b->owed[conn].bound) {
        generation++;
    } else if (where > 250u) {
        generation--; /* a stale one now and then */
    }
    if ((choice & 0x80u) != 0) {
        (void)bed_submit_run(b, kind, conn, generation, choice >> 6 & RS_OPF_ABORT,
                             1u + (choice >> 3 & 3u));
    } else {
        (void)bed_submit(b, kind, conn, generation, choice >> 6 & RS_OPF_ABORT);
    }
}

static void step_complete(bed *b, script *s) {
    uint8_t pick = script_byte(s), how = script_byte(s);
    bed_post *post = &b->posts[pick % BED_REQS];
    rs_status status = (how & 3u) != 0 ? RS_OK : failures[how >> 2 & 3u];
    bed_commit_all(b);
    if (post->used) {
        bed_complete(b, post, status, status == RS_OK ? how % (post->bytes + 1u) : 0);
    }
}

static void step_connected(bed *b, script *s) {
    uint8_t how = script_byte(s);
    uint32_t conn = how % BED_CONNS;
    if (b->owed[conn].connecting) {
        bed_connected(b, conn, (how & 4u) != 0 ? RS_OK : failures[how >> 3 & 3u]);
    }
}

static void step_broken(bed *b, script *s) {
    uint8_t how = script_byte(s);
    uint32_t conn = how % BED_CONNS;
    if (b->kernel == BED_RIO && b->owed[conn].has_queue) {
        bed_broken(b, conn, failures[how >> 3 & 3u]);
    }
}

/* epoll: an edge; IOCP: a receive has its turn, or the turn is taken from those that follow. */
static void step_ready(bed *b, script *s) {
    uint8_t how = script_byte(s);
    uint32_t conn = how % BED_CONNS;
    if (b->kernel == BED_EPOLL) {
        bed_ready(b, conn, how >> 2 & RS_ENGINE_BOTH, how >> 4 & 15u);
    } else if ((how & 4u) != 0) {
        b->owed[conn].may = RS_ENGINE_SEND;
    } else {
        b->inline_count = how >> 4;
        bed_ready(b, conn, RS_ENGINE_BOTH, 0);
    }
}

static void step(bed *b, script *s) {
    uint8_t what = script_byte(s);
    uint32_t conn = what >> 4 & (BED_CONNS - 1u);
    switch (what & 7u) {
    case 0:
        if (!b->owed[conn].bound) {
            bed_attach(b, conn, b->owed[conn].generation + 1u);
        }
        break;
    case 1:
    case 2:
        step_submit(b, s);
        break;
    case 3:
        if ((what & 8u) != 0 && b->kernel != BED_RIO) {
            step_ready(b, s);
        } else {
            step_complete(b, s);
        }
        break;
    case 4:
        step_connected(b, s);
        break;
    case 5:
        (void)bed_poll(b, 1u + script_byte(s) % 8u);
        break;
    case 6:
        b->call_fails_count = what >> 6;
        b->call_fails = failures[what >> 4 & 3u];
        break;
    default:
        step_broken(b, s);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bed b;
    script s = {.data = data, .size = size};
    const uint8_t first = script_byte(&s);
    const uint32_t recvs = 1u + first / (4u * BED_KERNELS) % BED_RECVS_MAX;
    bed_init_with(&b, (bed_kernel)(first / 4u % BED_KERNELS), first % 4u != 0, recvs);
    while (s.at < s.size) {
        step(&b, &s);
    }
    bed_finish(&b);
    return 0;
}
