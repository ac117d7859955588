/* Every statement of the course notes, by its id and in our words: the list that nothing may be
 * missing from.
 *
 * X(id, statement) twice: NOTE_ROW has its file, NOTE_GAP has none yet. Writing one turns its GAP
 * into a ROW. */
#ifndef RS_NOTES_NOTE_TABLE_H
#define RS_NOTES_NOTE_TABLE_H

#include "notes/note.h"

/* clang-format off */
#define NOTE_TABLE(NOTE_ROW, NOTE_GAP)                                                             \
    NOTE_ROW(a1, "a connection is complete for the client before accept is called: the backlog holds it") \
    NOTE_ROW(a2, "when the backlog is full, connect fails with WSAECONNREFUSED") \
    NOTE_ROW(a3, "SOMAXCONN_HINT reaches only about 16,000 where 65,535 is asked for; more dynamic ports lift that") \
    NOTE_ROW(a4, "AcceptEx helps when many connect at once") \
    NOTE_ROW(a5, "accept has no completion routine; it is the reactor's way in a proactor's server") \
    NOTE_ROW(a6, "an AcceptEx that waits for first bytes can be held by a silent client") \
    NOTE_ROW(a7, "workers have to exist before connections are accepted") \
    NOTE_ROW(b1, "recv blocks only while the receive buffer is empty; what is there is returned at once") \
    NOTE_ROW(b2, "a blocked recv returns when a segment with PSH arrives") \
    NOTE_ROW(b3, "send blocks when less room is left than was asked for") \
    NOTE_ROW(b4, "what setsockopt sets as buffer size is not what the stack uses") \
    NOTE_ROW(b5, "with SO_SNDBUF = 0 the caller's buffer is the send buffer: a send pends until the peer has it") \
    NOTE_ROW(b6, "non-blocking sockets must all be asked, so a socket model is needed") \
    NOTE_ROW(b7, "WSARecv with data there completes in the call; without, it pends, and only then is it overlapped") \
    NOTE_ROW(b8, "WSASend completes in the call while there is room, and pends when the buffer is full") \
    NOTE_ROW(b9, "Offset in OVERLAPPED means nothing to a socket") \
    NOTE_ROW(b10, "several overlapped sends on one socket complete in order, each in full") \
    NOTE_ROW(b11, "with room for 70 of 100 bytes, 70 go at once and 30 overlapped, and the completion says 100") \
    NOTE_ROW(b12, "a send completes short only when it fails or the connection is cut") \
    NOTE_ROW(b13, "sends of many threads on one socket do not mix; each stays whole") \
    NOTE_ROW(b14, "several receives outstanding on one socket may be handled in the wrong order by several workers") \
    NOTE_ROW(b15, "one OVERLAPPED must not serve two requests at once") \
    NOTE_ROW(b16, "messages arrive split and joined, so the receiver puts them together") \
    NOTE_ROW(b17, "95 % of a game's packets are moves, so their size matters") \
    NOTE_ROW(c1, "select must be told all sockets anew each turn, and holds 64") \
    NOTE_ROW(c2, "WSAEventSelect and overlapped events end at 64 handles") \
    NOTE_ROW(c3, "with an event and a completion routine together, the routine is called and the event is not used") \
    NOTE_ROW(c4, "WSAGetOverlappedResult says how a request ended, waiting for it or not") \
    NOTE_ROW(c5, "a completion routine runs in the thread that made the request; no other can take its work") \
    NOTE_ROW(c6, "completions that arrive while a routine runs are called within the same alertable wait") \
    NOTE_ROW(c7, "frequent alertable waits cost") \
    NOTE_ROW(c8, "QueueUserAPC can be used on purpose, as a wake-up") \
    NOTE_ROW(c9, "a time-out of GetQueuedCompletionStatus is no error") \
    NOTE_ROW(c10, "completions leave a port first in, first out; waiting threads are released last in, first out") \
    NOTE_ROW(c11, "a port lets no more threads run than its concurrency; one that blocks lets another in") \
    NOTE_ROW(c12, "only key, OVERLAPPED and byte count come back, so the record is found from them") \
    NOTE_ROW(c13, "GetQueuedCompletionStatusEx takes many completions at once") \
    NOTE_ROW(c14, "a thread's pending I/O is cancelled when the thread ends") \
    NOTE_ROW(c15, "socket() makes sockets for overlapped I/O, and a known list of functions supports it") \
    NOTE_ROW(c16, "a logic thread apart from the I/O threads keeps slow work off the network") \
    NOTE_ROW(c17, "one thread can serve, several only make it harder; several are needed to use several cores") \
    NOTE_ROW(d1, "a pending overlapped request locks the pages of its buffer") \
    NOTE_ROW(d2, "aligned buffers lock fewer pages") \
    NOTE_ROW(d3, "each pending request has a request packet in non-paged pool") \
    NOTE_ROW(d4, "only so much memory may be locked") \
    NOTE_ROW(d5, "locking and the request packet may cost more than the wait they save") \
    NOTE_ROW(d6, "WSAENOBUFS should end the client and not the server") \
    NOTE_ROW(d7, "RIO takes the lock once instead of at each request") \
    NOTE_ROW(d8, "zero-byte receives keep idle connections from locking pages") \
    NOTE_ROW(d9, "send records from new and delete cost; a pool is better") \
    NOTE_ROW(d10, "ids are reused, and a late message must not reach the new owner") \
    NOTE_ROW(e1, "overlapped writes without an offset all land at 0") \
    NOTE_ROW(e2, "a cached file is served in the call: nothing overlaps") \
    NOTE_ROW(e3, "overlapped file requests may complete in any order, socket requests of one direction do not") \
    NOTE_ROW(f1, "select, then WSAAsyncSelect and WSAEventSelect, then overlapped, then IOCP, in order of performance") \
    NOTE_ROW(f2, "RIO removes the overhead of overlapped I/O") \
    NOTE_ROW(f3, "one send in flight and the rest queued, or several at once") \
    NOTE_ROW(f4, "synchronous calls with notification against asynchronous calls with notification")
/* clang-format on */

#define NOTE_EXTERN(id, statement) extern const note_entry note_##id;
#define NOTE_NOTHING(id, statement)
NOTE_TABLE(NOTE_EXTERN, NOTE_NOTHING)
#undef NOTE_EXTERN
#undef NOTE_NOTHING

typedef struct note_row {
    const char *id, *statement;
    const note_entry *entry; /* NULL: not written yet */
} note_row;

#define NOTE_ONE(id, statement) +1u
enum { NOTE_ROWS = 0u NOTE_TABLE(NOTE_ONE, NOTE_ONE) };
#undef NOTE_ONE

extern const note_row note_rows[NOTE_ROWS];

/* note_find: by id; NULL: there is no such statement. */
const note_row *note_find(const char *id);

#endif
