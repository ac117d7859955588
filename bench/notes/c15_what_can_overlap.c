/* SPDX-License-Identifier: MIT */
/* c15: socket() makes sockets for overlapped I/O, and a known list of functions supports it.
 *
 * Experiment: one overlapped call of each of the eleven, on sockets of socket(). Did it complete in
 * the call, or pend and complete, or is it not there? Documented: socket() sets the overlapped
 * attribute (Winsock, socket); the list is in "Overlapped I/O". Refuted by: one that is missing
 * or fails; the verdict names how many. */
#include "notes/note_net.h"

enum {
    ACCEPT_EX,
    CONNECT_EX,
    DISCONNECT_EX,
    TRANSMIT_FILE,
    TRANSMIT_PACKETS,
    WSA_IOCTL,
    WSA_RECV,
    WSA_RECV_FROM,
    WSA_RECV_MSG,
    WSA_SEND,
    WSA_SEND_TO,
    CALLS
};
/* 2: pended and completed; 1: completed in the call; 0: failed or not there. */
static const note_figure figures[CALLS] = {
    [ACCEPT_EX] = {"AcceptEx: 2 pended, 1 in the call, 0 not", "", NOTE_LEAST},
    [CONNECT_EX] = {"ConnectEx", "", NOTE_LEAST},
    [DISCONNECT_EX] = {"DisconnectEx", "", NOTE_LEAST},
    [TRANSMIT_FILE] = {"TransmitFile", "", NOTE_LEAST},
    [TRANSMIT_PACKETS] = {"TransmitPackets", "", NOTE_LEAST},
    [WSA_IOCTL] = {"WSAIoctl", "", NOTE_LEAST},
    [WSA_RECV] = {"WSARecv", "", NOTE_LEAST},
    [WSA_RECV_FROM] = {"WSARecvFrom", "", NOTE_LEAST},
    [WSA_RECV_MSG] = {"WSARecvMsg", "", NOTE_LEAST},
    [WSA_SEND] = {"WSASend", "", NOTE_LEAST},
    [WSA_SEND_TO] = {"WSASendTo", "", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    uint32_t works = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        works += seen[i].value > 0;
    }
    if (!(seen[WSA_RECV].value > 0 && seen[WSA_SEND].value > 0)) {
        return note_say(NOTE_DOES_NOT_HOLD, "a socket of socket() cannot do overlapped I/O");
    }
    return note_say(works == CALLS ? NOTE_HOLDS : NOTE_IN_PART, "%u of the 11 calls work", works);
}

#ifdef _WIN32

typedef struct call {
    OVERLAPPED overlapped;
    note_accepting accepting;
    struct sockaddr_in address; /* of a peer; where a call writes one */
    INT address_bytes;
    WSABUF buffer;
    WSAMSG message;
    TRANSMIT_PACKETS_ELEMENT element;
    TRANSMIT_FILE_BUFFERS head;
    char bytes[64];
} call;

/* *out stays NULL when the provider has no such function. */
static void function(note_socket socket, GUID guid, void *out, size_t bytes) {
    DWORD moved = 0;
    (void)WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, (DWORD)sizeof guid, out,
                   (DWORD)bytes, &moved, NULL, NULL);
}

/* 2, 1 or 0 for a call that has just returned with `error` (0: done). */
static double ended(note_socket socket, OVERLAPPED *overlapped, int error) {
    DWORD bytes = 0;
    return error == 0                                                                     ? 1
           : error == WSA_IO_PENDING && note_await(socket, overlapped, 1000, &bytes) == 0 ? 2
                                                                                          : 0;
}

static call *begin(note *self) {
    call *c = note_memory(self, sizeof *c);
    const HANDLE event = note_event(self);
    if (c == NULL || event == NULL) {
        return NULL;
    }
    c->overlapped.hEvent = event;
    c->buffer = (WSABUF){.len = 1, .buf = c->bytes};
    c->address = note_address(NOTE_LOOPBACK, 0);
    c->address_bytes = (INT)sizeof c->address;
    c->message = (WSAMSG){.name = (SOCKADDR *)&c->address,
                          .namelen = (INT)sizeof c->address,
                          .lpBuffers = &c->buffer,
                          .dwBufferCount = 1};
    c->element = (TRANSMIT_PACKETS_ELEMENT){.dwElFlags = TP_ELEMENT_MEMORY, .cLength = 1};
    c->element.pBuffer = c->bytes;
    c->head = (TRANSMIT_FILE_BUFFERS){.Head = c->bytes, .HeadLength = 1};
    return c;
}

static int error_unless(BOOL done) {
    return done ? 0 : WSAGetLastError();
}

static void connections(note *self) {
    struct sockaddr_in address;
    const note_socket listener = note_listen(self, 8, &address), client = note_tcp(self);
    call *a = begin(self), *c = begin(self), *d = begin(self);
    NOTE_NEED(self, listener != NOTE_NO_SOCKET && client != NOTE_NO_SOCKET, "listen");
    NOTE_NEED(self, a != NULL && c != NULL && d != NULL, "an event");
    LPFN_ACCEPTEX accept_ex = NULL;
    function(listener, (GUID)WSAID_ACCEPTEX, &accept_ex, sizeof accept_ex);
    LPFN_CONNECTEX connect_ex = NULL;
    function(client, (GUID)WSAID_CONNECTEX, &connect_ex, sizeof connect_ex);
    LPFN_DISCONNECTEX disconnect_ex = NULL;
    function(client, (GUID)WSAID_DISCONNECTEX, &disconnect_ex, sizeof disconnect_ex);
    a->accepting.overlapped.hEvent = a->overlapped.hEvent;
    NOTE_NEED(self, note_bind(client, &c->address), "bind");
    const bool accepting =
        accept_ex != NULL && note_accept_post(self, accept_ex, listener, &a->accepting, 0);
    const int error =
        connect_ex == NULL
            ? WSAEOPNOTSUPP
            : error_unless(connect_ex(client, (SOCKADDR *)&address, (int)sizeof address, NULL, 0,
                                      NULL, &c->overlapped));
    note_add(self, CONNECT_EX, ended(client, &c->overlapped, error));
    note_add(self, ACCEPT_EX,
             accepting ? ended(listener, &a->accepting.overlapped, WSA_IO_PENDING) : 0);
    /* A failure shows at DisconnectEx. */
    (void)setsockopt(client, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, "", 0);
    note_add(self, DISCONNECT_EX,
             disconnect_ex == NULL
                 ? 0
                 : ended(client, &d->overlapped,
                         error_unless(disconnect_ex(client, &d->overlapped, 0, 0))));
}

static void streams(note *self) {
    struct tcp_keepalive keep = {.onoff = 1, .keepalivetime = 10000, .keepaliveinterval = 1000};
    note_socket pair[2];
    call *c[5];
    DWORD moved = 0;
    NOTE_NEED(self, note_pair(self, pair), "a pair");
    for (uint32_t i = 0; i < 5; i++) {
        c[i] = begin(self);
        NOTE_NEED(self, c[i] != NULL, "an event");
    }
    const int receiving = note_post_recv(pair[0], c[0]->bytes, 1, &c[0]->overlapped, &moved);
    note_add(self, WSA_SEND,
             ended(pair[1], &c[1]->overlapped,
                   note_post_send(pair[1], c[1]->bytes, 1, &c[1]->overlapped, &moved)));
    note_add(self, WSA_RECV, ended(pair[0], &c[0]->overlapped, receiving));
    LPFN_TRANSMITFILE transmit = NULL;
    function(pair[1], (GUID)WSAID_TRANSMITFILE, &transmit, sizeof transmit);
    LPFN_TRANSMITPACKETS packets = NULL;
    function(pair[1], (GUID)WSAID_TRANSMITPACKETS, &packets, sizeof packets);
    note_add(self, TRANSMIT_FILE,
             transmit == NULL ? 0
                              : ended(pair[1], &c[2]->overlapped,
                                      error_unless(transmit(pair[1], NULL, 0, 0, &c[2]->overlapped,
                                                            &c[2]->head, 0))));
    note_add(self, TRANSMIT_PACKETS,
             packets == NULL
                 ? 0
                 : ended(pair[1], &c[3]->overlapped,
                         error_unless(packets(pair[1], &c[3]->element, 1, 0, &c[3]->overlapped,
                                              TF_USE_DEFAULT_WORKER))));
    const int set = WSAIoctl(pair[0], SIO_KEEPALIVE_VALS, &keep, (DWORD)sizeof keep, NULL, 0,
                             &moved, &c[4]->overlapped, NULL);
    note_add(self, WSA_IOCTL, ended(pair[0], &c[4]->overlapped, error_unless(set == 0)));
}

static void datagrams(note *self, note_socket a, note_socket b) {
    call *from = begin(self), *to = begin(self), *message = begin(self);
    int bytes = (int)sizeof from->address;
    DWORD flags = 0;
    NOTE_NEED(self, from != NULL && to != NULL && message != NULL, "an event");
    NOTE_NEED(self, note_bind(a, &from->address), "bind");
    NOTE_NEED(self, getsockname(a, (SOCKADDR *)&to->address, &bytes) == 0, "getsockname");
    int rc = WSARecvFrom(a, &from->buffer, 1, NULL, &flags, (SOCKADDR *)&from->address,
                         &from->address_bytes, &from->overlapped, NULL);
    const int receiving = error_unless(rc == 0);
    rc = WSASendTo(b, &to->buffer, 1, NULL, 0, (SOCKADDR *)&to->address, (int)sizeof to->address,
                   &to->overlapped, NULL);
    note_add(self, WSA_SEND_TO, ended(b, &to->overlapped, error_unless(rc == 0)));
    note_add(self, WSA_RECV_FROM, ended(a, &from->overlapped, receiving));
    LPFN_WSARECVMSG recv_msg = NULL;
    function(a, (GUID)WSAID_WSARECVMSG, &recv_msg, sizeof recv_msg);
    int pending = WSAEOPNOTSUPP;
    if (recv_msg != NULL) {
        pending =
            error_unless(recv_msg(a, &message->message, NULL, &message->overlapped, NULL) == 0);
    }
    NOTE_NEED(self, sendto(b, "x", 1, 0, (SOCKADDR *)&to->address, (int)sizeof to->address) == 1,
              "sendto");
    note_add(self, WSA_RECV_MSG, ended(a, &message->overlapped, pending));
}

static void run(note *self) {
    const note_socket a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
    connections(self);
    streams(self);
    datagrams(self, a, b);
    (void)closesocket(a); /* what is pending there ends */
    (void)closesocket(b);
}

#endif

const note_entry note_c15 = {
    .file = NOTE_FILE("c15_what_can_overlap"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
