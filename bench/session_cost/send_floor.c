/* SPDX-License-Identifier: MIT */
/* The kernel's part of the board game: a server that knows no game, only its system calls.
 *
 * A client of its own process sends moves of 4 bytes over --connections sockets, in turn, at a
 * fixed rate. The server waits with epoll, receives each, and sends 15 bytes to each of `sends`
 * sockets, the mover's and its neighbours': what epoll_server does for a move without knowing who
 * sees it. Nothing is parsed, queued or checked, so no server that makes one send a frame is
 * cheaper; its processor time a send is the floor of docs/board.md. Then the same number of sends
 * is made in a row, without receives, waits and pauses: what one send costs at best.
 * bench/board_cost.sh runs it in turn with epoll_server.
 *
 * Processor time is the thread's own; over loopback that includes the peer's half of TCP, which the
 * kernel does in the sender's call. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 1000u
#define MOVE_BYTES 4u
#define MOVED_BYTES 15u
#define MOVES_A_SECOND 10000u
#define MOVES_A_SEND_TENTHS 26u /* sends a move, in tenths: 2.6 of epoll_server at 1,000 bots */
#define EVENTS 256

static int servers[CONNECTIONS], clients[CONNECTIONS];

static void must(int is_true, const char *what) {
    if (!is_true) {
        perror(what);
        exit(1);
    }
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec now;
    must(clock_gettime(clock, &now) == 0, "clock_gettime");
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void connect_all(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    must(listener >= 0 && bind(listener, (struct sockaddr *)&at, sizeof at) == 0, "bind");
    must(getsockname(listener, (struct sockaddr *)&at, &length) == 0, "getsockname");
    must(listen(listener, 128) == 0, "listen");
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        must(clients[i] >= 0, "socket");
        must(connect(clients[i], (struct sockaddr *)&at, sizeof at) == 0, "connect");
        servers[i] = accept(listener, NULL, NULL);
        must(servers[i] >= 0, "accept");
        must(setsockopt(servers[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "nodelay");
        must(setsockopt(clients[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "nodelay");
    }
    close(listener);
}

static int watch(const int *sockets) {
    int set = epoll_create1(0);
    must(set >= 0, "epoll_create1");
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        must(epoll_ctl(set, EPOLL_CTL_ADD, sockets[i], &event) == 0, "epoll_ctl");
    }
    return set;
}

/* Moves at a steady rate, in the random order of bots; reads whatever comes. Ends after `moves`. */
static void client_run(uint64_t moves) {
    const char move[MOVE_BYTES] = {4, 0, 2, 0};
    char sink[65536];
    int set = watch(clients);
    uint64_t start_ns = now_ns(CLOCK_MONOTONIC);
    uint32_t random = 1;
    for (uint64_t sent = 0; sent < moves;) {
        struct epoll_event events[EVENTS];
        uint64_t due = (now_ns(CLOCK_MONOTONIC) - start_ns) / (1000000000u / MOVES_A_SECOND);
        int count;
        for (; sent < due && sent < moves; sent++) {
            random = random * 1664525u + 1013904223u;
            must(send(clients[(random >> 8) % CONNECTIONS], move, sizeof move, 0) > 0, "send");
        }
        count = epoll_wait(set, events, EVENTS, 0);
        for (int i = 0; i < count; i++) {
            must(recv(clients[events[i].data.u32], sink, sizeof sink, MSG_DONTWAIT) > 0, "recv");
        }
        if (count == 0) {
            const struct timespec pause = {.tv_nsec = 50000};
            nanosleep(&pause, NULL);
        }
    }
}

static void send_moved(unsigned to) {
    static const char moved[MOVED_BYTES] = {MOVED_BYTES, 0, 0};
    must(send(servers[to % CONNECTIONS], moved, sizeof moved, MSG_DONTWAIT | MSG_NOSIGNAL) ==
             (ssize_t)sizeof moved,
         "send");
}

typedef struct tally {
    uint64_t moves, sends, waits;
} tally;

static tally serve(uint64_t moves) {
    tally all = {0};
    int set = watch(servers);
    while (all.moves < moves) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(set, events, EVENTS, 2000);
        must(count > 0, "no move came");
        all.waits++;
        for (int i = 0; i < count; i++) {
            char move[1024];
            ssize_t bytes = recv(servers[events[i].data.u32], move, sizeof move, MSG_DONTWAIT);
            must(bytes > 0, "recv");
            for (; bytes >= (ssize_t)MOVE_BYTES; bytes -= (ssize_t)MOVE_BYTES) {
                all.moves++;
                while (all.sends * 10u < all.moves * MOVES_A_SEND_TENTHS) {
                    send_moved(events[i].data.u32 + (unsigned)(all.sends % 3u) * 331u);
                    all.sends++;
                }
            }
        }
    }
    close(set);
    return all;
}

int main(int argc, char **argv) {
    uint64_t seconds = argc > 1 ? (uint64_t)atoi(argv[1]) : 3;
    uint64_t moves = seconds * MOVES_A_SECOND;
    struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
    struct rusage use;
    uint64_t began_ns, served_ns, row_ns, user_ns, system_ns;
    tally all;
    pid_t client;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    connect_all();
    client = fork();
    must(client >= 0, "fork");
    if (client == 0) {
        client_run(moves);
        _exit(0);
    }
    began_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
    all = serve(moves);
    served_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
    must(getrusage(RUSAGE_SELF, &use) == 0, "getrusage");
    must(waitpid(client, NULL, 0) == client, "waitpid");
    began_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint64_t i = 0; i < all.sends && i < 100u * CONNECTIONS; i++) {
        send_moved((unsigned)(i * 331u));
    }
    row_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
    user_ns = (uint64_t)use.ru_utime.tv_sec * 1000000000u + (uint64_t)use.ru_utime.tv_usec * 1000u;
    system_ns =
        (uint64_t)use.ru_stime.tv_sec * 1000000000u + (uint64_t)use.ru_stime.tv_usec * 1000u;
    printf(
        "{\"moves\": %llu, \"sends\": %llu, \"waits\": %llu, \"ns_per_send\": %.0f, "
        "\"user_share\": %.3f, \"ns_per_send_in_a_row\": %.0f}\n",
        (unsigned long long)all.moves, (unsigned long long)all.sends, (unsigned long long)all.waits,
        (double)served_ns / (double)all.sends, (double)user_ns / (double)(user_ns + system_ns),
        (double)row_ns / (double)(all.sends < 100u * CONNECTIONS ? all.sends : 100u * CONNECTIONS));
    return 0;
}
