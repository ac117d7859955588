/* epoll_server: the same server on Linux, the floor that the others are set against. */
#include "epoll/epoll_backend.h"
#include "server/server_main.h"

int main(int argc, char **argv) {
    return rs_server_main("epoll_server", &rs_epoll_backend, argc, (const char *const *)argv);
}
