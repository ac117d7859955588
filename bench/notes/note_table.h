/* SPDX-License-Identifier: MIT */
/* Every statement of the course notes, by its id and in our words: the list that nothing may be
 * missing from. X(id, statement) */
#ifndef RS_NOTES_NOTE_TABLE_H
#define RS_NOTES_NOTE_TABLE_H

#include "notes/note.h"

/* clang-format off */
#define NOTE_TABLE(X)                                                                              \
    X(a1, "a connection is complete for the client before accept is called: the backlog holds it") \
    X(a2, "when the backlog is full, connect fails with WSAECONNREFUSED") \
    X(a3, "SOMAXCONN_HINT reaches only about 16,000 where 65,535 is asked for; more dynamic ports lift that") \
    X(a4, "AcceptEx helps when many connect at once") \
    X(a5, "accept has no completion routine; it is the reactor's way in a proactor's server") \
    X(a6, "an AcceptEx that waits for first bytes can be held by a silent client") \
    X(a7, "workers have to exist before connections are accepted") \
    X(b1, "recv blocks only while the receive buffer is empty; what is there is returned at once") \
    X(b2, "a blocked recv returns when a segment with PSH arrives") \
    X(b3, "send blocks when less room is left than was asked for") \
    X(b4, "what setsockopt sets as buffer size is not what the stack uses") \
    X(b5, "with SO_SNDBUF = 0 the caller's buffer is the send buffer: a send pends until the peer has it") \
    X(b6, "non-blocking sockets must all be asked, so a socket model is needed") \
    X(b7, "WSARecv with data there completes in the call; without, it pends, and only then is it overlapped") \
    X(b8, "WSASend completes in the call while there is room, and pends when the buffer is full") \
    X(b9, "Offset in OVERLAPPED means nothing to a socket") \
    X(b10, "several overlapped sends on one socket complete in order, each in full") \
    X(b11, "with room for 70 of 100 bytes, 70 go at once and 30 overlapped, and the completion says 100") \
    X(b12, "a send completes short only when it fails or the connection is cut") \
    X(b13, "sends of many threads on one socket do not mix; each stays whole") \
    X(b14, "several receives outstanding on one socket may be handled in the wrong order by several workers") \
    X(b15, "one OVERLAPPED must not serve two requests at once") \
    X(b16, "messages arrive split and joined, so the receiver puts them together") \
    X(b17, "95 % of a game's packets are moves, so their size matters") \
    X(c1, "select must be told all sockets anew each turn, and holds 64") \
    X(c2, "WSAEventSelect and overlapped events end at 64 handles") \
    X(c3, "with an event and a completion routine together, the routine is called and the event is not used") \
    X(c4, "WSAGetOverlappedResult says how a request ended, waiting for it or not") \
    X(c5, "a completion routine runs in the thread that made the request; no other can take its work") \
    X(c6, "completions that arrive while a routine runs are called within the same alertable wait") \
    X(c7, "frequent alertable waits cost") \
    X(c8, "QueueUserAPC can be used on purpose, as a wake-up") \
    X(c9, "a time-out of GetQueuedCompletionStatus is no error") \
    X(c10, "completions leave a port first in, first out; waiting threads are released last in, first out") \
    X(c11, "a port lets no more threads run than its concurrency; one that blocks lets another in") \
    X(c12, "only key, OVERLAPPED and byte count come back, so the record is found from them") \
    X(c13, "GetQueuedCompletionStatusEx takes many completions at once") \
    X(c14, "a thread's pending I/O is cancelled when the thread ends") \
    X(c15, "socket() makes sockets for overlapped I/O, and a known list of functions supports it") \
    X(c16, "a logic thread apart from the I/O threads keeps slow work off the network") \
    X(c17, "one thread can serve, several only make it harder; several are needed to use several cores") \
    X(d1, "a pending overlapped request locks the pages of its buffer") \
    X(d2, "aligned buffers lock fewer pages") \
    X(d3, "each pending request has a request packet in non-paged pool") \
    X(d4, "only so much memory may be locked") \
    X(d5, "locking and the request packet may cost more than the wait they save") \
    X(d6, "WSAENOBUFS should end the client and not the server") \
    X(d7, "RIO takes the lock once instead of at each request") \
    X(d8, "zero-byte receives keep idle connections from locking pages") \
    X(d9, "send records from new and delete cost; a pool is better") \
    X(d10, "ids are reused, and a late message must not reach the new owner") \
    X(e1, "overlapped writes without an offset all land at 0") \
    X(e2, "a cached file is served in the call: nothing overlaps") \
    X(e3, "overlapped file requests may complete in any order, socket requests of one direction do not") \
    X(f1, "select, then WSAAsyncSelect and WSAEventSelect, then overlapped, then IOCP, in order of performance") \
    X(f2, "RIO removes the overhead of overlapped I/O") \
    X(f3, "one send in flight and the rest queued, or several at once") \
    X(f4, "synchronous calls with notification against asynchronous calls with notification")
/* clang-format on */

#define X(id, statement) extern const note_entry note_##id;
NOTE_TABLE(X)
#undef X

typedef struct note_row {
    const char *id, *statement;
    const note_entry *entry;
} note_row;

#define X(id, statement) +1u
enum { NOTE_ROWS = 0u NOTE_TABLE(X) };
#undef X

extern const note_row note_rows[NOTE_ROWS];

/* note_find: by id; NULL: there is no such statement. */
const note_row *note_find(const char *id);

#endif
