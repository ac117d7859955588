/* SPDX-License-Identifier: MIT */
/* Seeded pseudo-random numbers for tests: every random test prints its seed first and takes one
 * as its first argument, so that a failure replays. Sequence: SplitMix64. */
#ifndef RS_TESTS_RANDOM_H
#define RS_TESTS_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct test_random {
    uint64_t state;
} test_random;

/* The seed of this run: argv[1] in decimal, or the fixed one, so that plain runs repeat. */
static inline uint64_t test_seed(int argc, char **argv) {
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261121u;
    printf("seed %llu\n", (unsigned long long)seed);
    return seed;
}

static inline uint64_t test_random_next(test_random *random) {
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* [0, below); below > 0. The slight bias of the remainder does not matter to a test. */
static inline uint32_t test_random_below(test_random *random, uint32_t below) {
    return (uint32_t)(test_random_next(random) % below);
}

/* A value whose number of bits is uniform: small and large ones are equally likely. */
static inline uint64_t test_random_wide(test_random *random, uint32_t bits_max) {
    const uint32_t bits = test_random_below(random, bits_max) + 1;
    return test_random_next(random) >> (64u - bits);
}

#endif
