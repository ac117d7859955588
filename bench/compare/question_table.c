/* SPDX-License-Identifier: MIT */
/* The register. Numbers are those of docs/questions.md and stay; an entry's hypothesis, prediction
 * and bounds are not changed once it has been run: a new guess is a new entry. */
#include "compare/question.h"

#include "core/assert.h"

#define BY(metric_, bound_, value_) .metric = (metric_), .bound = (bound_), .value = (value_)
#define RIO_OVER_IOCP(scenario_, metric_, bound_, value_)                                          \
    {                                                                                              \
        .scenario = (scenario_), .server = "rio_server", .change = -1, .over = RS_OVER_IOCP,       \
        BY(metric_, bound_, value_)                                                                \
    }
#define CHANGED(scenario_, server_, change_, metric_, bound_, value_)                              \
    {                                                                                              \
        .scenario = (scenario_), .server = (server_), .change = (change_),                         \
        .over = RS_OVER_DEFAULTS, BY(metric_, bound_, value_)                                      \
    }
#define ALONE(scenario_, server_, metric_, bound_, value_)                                         \
    {                                                                                              \
        .scenario = (scenario_), .server = (server_), .change = -1, .over = RS_OVER_NOTHING,       \
        BY(metric_, bound_, value_)                                                                \
    }
#define CHANGED_ALONE(scenario_, server_, change_, metric_, bound_, value_)                        \
    {                                                                                              \
        .scenario = (scenario_), .server = (server_), .change = (change_),                         \
        .over = RS_OVER_NOTHING, BY(metric_, bound_, value_)                                       \
    }
#define WHY_RATIO "a ratio of the two servers under Wine measures wineserver, not Windows"
#define BUSY_HERE                                                                                  \
    " Wine 8.0 on Debian 12 (Linux 6.18), 2 processors that other programs used too, runs of 1 s."
#define IDLE_HERE_OF(runs)                                                                         \
    " Wine 8.0 on Debian 12 (Linux 6.18), 2 processors, idle, " runs " runs of 1 s."
#define IDLE_HERE IDLE_HERE_OF("10")
#define SOCKETSET "https://github.com/mgravell/SocketSet"
#define DEAGLEGROSS                                                                                \
    "https://github.com/DeagleGross/aspnetcore/blob/7b982cd1e98d604b4035dd5066a6d9bdb20102c4/"     \
    "src/Servers/Kestrel/Transport.Networking/src"

static const rs_question question_table[] = {
    {.number = 1,
     .name = "sends-k",
     .question = "Do K outstanding single-buffer sends recover RIO's loss at large payloads?",
     .asker = "SocketSet, an open item",
     .link = SOCKETSET "/blob/main/RESULTS.md",
     .known = "RIO takes one buffer a send; there it is 2.2 to 2.5 times slower than IOCP from 16 "
              "KB on, with sends of 4 KiB one at a time",
     .hypothesis = "The loss comes from one small send in flight at a time: between its completion "
                   "and the next the connection has nothing to send. With 16 in flight it never "
                   "runs dry.",
     .leaves_open = "whether RIO then reaches IOCP: --scenario large on Windows",
     .change = {{.option = "sends-in-flight",
                 .value = "1",
                 .about = "blocks of 4 KiB, one at a "
                          "time",
                 .rio = true,
                 .scenario = "large",
                 .needs = "send-block",
                 .needs_value = "4096"},
                {.option = "sends-in-flight",
                 .value = "16",
                 .about = "blocks of 4 KiB, 16 at a "
                          "time",
                 .rio = true,
                 .scenario = "large",
                 .needs = "send-block",
                 .needs_value = "4096"}},
     .changes = 2,
     .clause = {CHANGED("large", "rio_server", 0, RS_METRIC_RATE, RS_BOUND_AT_MOST, 0.95),
                CHANGED("large", "rio_server", 1, RS_METRIC_RATE, RS_BOUND_AT_LEAST, 0.95)},
     .clauses = 2},
    {.number = 2,
     .name = "completion-floor",
     .question = "Is the 3.2 us that a RIO completion takes there off loopback, and what are its "
                 "percentiles?",
     .asker = "SocketSet",
     .link = SOCKETSET "/blob/main/IOCP-VS-RIO.md",
     .known = "3.2 us a completion on loopback however full the pipe is; an IOCP round trip with "
              "completions inside the call takes 1.8 us",
     .hypothesis = "The time is in the system's own completion path. One connection pays it on "
                   "every message; 64 busy ones hide it behind each other.",
     .leaves_open = "off loopback: compare drives one machine",
     .why_windows = WHY_RATIO,
     .clause = {RIO_OVER_IOCP("ping-pong", RS_METRIC_P50, RS_BOUND_AT_LEAST, 1.05),
                RIO_OVER_IOCP("many-small", RS_METRIC_P50, RS_BOUND_AT_MOST, 1.05)},
     .clauses = 2},
    {.number = 3,
     .name = "spin",
     .question = "What does an adaptive spin cost with many connections?",
     .asker = "SocketSet",
     .link = SOCKETSET "/blob/main/IOCP-VS-RIO.md",
     .known = "a spin doubled the rate of one connection; over 200 the runs scattered by 40 %",
     .answered_here =
         "nothing: the prediction holds. With 1,000 connections the processor time a message was "
         "1.00 times the default's (0.94 to 1.03, 20 pairs), the rate 0.97 to 1.02 times, the p99 "
         "0.84 to 1.09 times. By counts of an earlier series those had 5 to 22 spins in 15,000 to "
         "28,000 messages: at 20 us each, 0.02 us a message at most. With one connection it costs, "
         "and gains: 0.989 of the spins found something (0.988 to 0.990), the p50 was 0.71 times "
         "the default's (0.70 to 0.71), the p99 0.87 times (0.84 to 0.90), the rate 1.38 times "
         "(1.36 to 1.40), the processor time a message 1.29 times (1.20 to 1.31)." IDLE_HERE_OF(
             "20"),
     .hypothesis = "With 1,000 busy connections the queue is hardly ever empty, so there is "
                   "nothing to spin for; with one connection every message saves a sleep.",
     .leaves_open = "what the back-off saves: --set rio_server.spin-backoff=0 beside it, which "
                    "polls before every sleep",
     .change = {{.option = "rio-wait",
                 .value = "spin",
                 .about = "20 us of polling before a sleep, less often after misses",
                 .rio = true,
                 .scenario = "ping-pong",
                 .also = "wide"}},
     .changes = 1,
     .clause = {CHANGED("wide", "rio_server", 0, RS_METRIC_CPU_SUM, RS_BOUND_AT_MOST, 1.05),
                CHANGED("ping-pong", "rio_server", 0, RS_METRIC_P50, RS_BOUND_AT_MOST, 0.95),
                CHANGED_ALONE("ping-pong", "rio_server", 0, RS_METRIC_SPIN_HITS, RS_BOUND_AT_LEAST,
                              0.5)},
     .clauses = 3},
    {.number = 4,
     .name = "recvs-n",
     .question = "Do N posted receives help with many connections, or with bulk?",
     .asker = "SocketSet",
     .link = SOCKETSET "/blob/main/IOCP-VS-RIO.md",
     .known = "no gain with one connection at depth 1; back-pressure broke",
     .answered_here =
         "not here: with IOCP they cost much, with RIO nothing was seen. Four receives cost "
         "iocp_server in wide 1.79 times the processor time a message (1.52 to 1.83, 9 pairs), "
         "in large 1.58 times (1.44 to 1.65), and a third of the rate in both: the prediction "
         "fails. Switches a message went from 6.9 to 12.1 and from 6.1 to 9.4, which points to "
         "wineserver; why was not looked into. rio_server, whose provider takes a waiting "
         "receive by a store: in wide 1.02 times the processor time (0.89 to 1.13), in large "
         "0.99 times the rate (0.87 to 1.11), both open. No byte was lost or out of order, no "
         "run of 100 void." IDLE_HERE,
     .partly = true,
     .hypothesis = "With one request in flight nothing comes while a connection's only request is "
                   "answered, so three more receives are never filled and cost next to nothing. "
                   "With bulk the next slice is filled while one is read, and bytes stay in order.",
     .leaves_open = "receives of other sizes: --set rio_server.recv-buffer=BYTES",
     .change = {{.option = "recvs",
                 .value = "4",
                 .about = "four receives a session",
                 .iocp = true,
                 .rio = true,
                 .scenario = "wide",
                 .also = "large"}},
     .changes = 1,
     .clause = {CHANGED("wide", "rio_server", 0, RS_METRIC_CPU_SUM, RS_BOUND_SAME, 0),
                CHANGED("wide", "iocp_server", 0, RS_METRIC_CPU_SUM, RS_BOUND_SAME, 0),
                CHANGED("large", "rio_server", 0, RS_METRIC_RATE, RS_BOUND_AT_LEAST, 1.05),
                CHANGED("large", "rio_server", 0, RS_METRIC_RATE, RS_BOUND_SOUND, 0),
                CHANGED("large", "iocp_server", 0, RS_METRIC_RATE, RS_BOUND_SOUND, 0)},
     .clauses = 5},
    {.number = 5,
     .name = "rate-from",
     .question = "From what rate on is RIO better than plain calls?",
     .asker = "RioSockets, pull request 2",
     .link = "https://github.com/nxrighthere/RioSockets/pull/2",
     .known = "none seen with UDP on a link of 1 Gbit/s that both fill",
     .hypothesis = "What RIO saves it saves a batch, and batches grow with the rate: at half of "
                   "the capacity there is nothing to save, at 80 % and above there is.",
     .leaves_open = "UDP",
     .why_windows = WHY_RATIO,
     .clause = {RIO_OVER_IOCP("fixed-50", RS_METRIC_CPU_SUM, RS_BOUND_AT_LEAST, 0.95),
                RIO_OVER_IOCP("fixed-80", RS_METRIC_CPU_SUM, RS_BOUND_AT_MOST, 0.95),
                RIO_OVER_IOCP("many-small", RS_METRIC_CPU_SUM, RS_BOUND_AT_MOST, 0.95)},
     .clauses = 3},
    {.number = 6,
     .name = "web-server",
     .question = "What are RIO's trade-offs in a web server?",
     .asker = "aspnetcore 1903",
     .link = "https://github.com/dotnet/aspnetcore/issues/1903",
     .known =
         "one project saw +10.8 % with keep-alive and +6.0 % with a connection a "
         "request, in C#, one round ([DeagleGross](" DEAGLEGROSS "/Windows/RESULTS.md)); another "
         "+1.4 % with keep-alive ([SocketSet](" SOCKETSET "/blob/main/IOCP-VS-RIO.md))",
     .hypothesis = "Requests on open connections gain; connecting and closing is not RIO's and "
                   "neither gains nor loses; an idle connection costs memory, since its receive "
                   "buffer is there from the start.",
     .leaves_open = "TLS, and files",
     .why_windows = WHY_RATIO,
     .clause = {RIO_OVER_IOCP("many-small", RS_METRIC_RATE, RS_BOUND_AT_LEAST, 1.05),
                RIO_OVER_IOCP("churn", RS_METRIC_RATE, RS_BOUND_SAME, 0),
                RIO_OVER_IOCP("idle-crowd", RS_METRIC_MEMORY_EACH, RS_BOUND_AT_LEAST, 1.05)},
     .clauses = 3},
    {.number = 7,
     .name = "commit-apart",
     .question = "Does RIO gain only where requests are submitted and committed apart?",
     .asker = "asio 784",
     .link = "https://github.com/chriskohlhoff/asio/issues/784",
     .known = "the same thread asks about one OVERLAPPED a queue and about thread safety, which "
              "Microsoft's pages answer",
     .hypothesis = "A commit starts all requests of one queue and direction. So it saves calls "
                   "where several wait in one queue, sixteen sends here, and none where there is "
                   "one.",
     .why_windows = "here a commit is our provider's, which gathers those of all queues",
     .set = {"rio_server.coalesce=off", "rio_server.send-blocks=8192",
             "rio_server.sends-in-flight=16"},
     .change = {{.option = "rio-defer",
                 .value = "off",
                 .about = "every request started by its own "
                          "call",
                 .rio = true,
                 .scenario = "pipelined",
                 .also = "many-small"}},
     .changes = 1,
     .clause = {CHANGED("pipelined", "rio_server", 0, RS_METRIC_CPU_SUM, RS_BOUND_AT_LEAST, 1.05),
                CHANGED("many-small", "rio_server", 0, RS_METRIC_CPU_SUM, RS_BOUND_SAME, 0)},
     .clauses = 2},
    {.number = 8,
     .name = "buffers-of-rio",
     .question = "What do SO_RCVBUF and SO_SNDBUF mean on a RIO socket?",
     .asker = "wireguard-go, pull request 71",
     .link = "https://github.com/WireGuard/wireguard-go/pull/71",
     .known = "nothing, by ctsTraffic's help and by one test with UDP",
     .hypothesis = "Nothing: bytes go between TCP and the buffers of the requests. A receive "
                   "buffer of 8 KiB would throttle what comes in by frames of 60,000 bytes, and "
                   "without a send buffer each send would wait for an acknowledgement, as one of "
                   "RIO does anyway.",
     .leaves_open = "what getsockopt tells; UDP",
     .why_windows = "here the provider's sockets are Linux's, which have both buffers",
     .change = {{.option = "rcvbuf",
                 .value = "8192",
                 .about = "SO_RCVBUF of 8 KiB",
                 .rio = true,
                 .scenario = "large"},
                {.option = "sndbuf",
                 .value = "0",
                 .about = "SO_SNDBUF of 0",
                 .rio = true,
                 .scenario = "large",
                 .also = "ping-pong"}},
     .changes = 2,
     .clause = {CHANGED("large", "rio_server", 0, RS_METRIC_RATE, RS_BOUND_SAME, 0),
                CHANGED("large", "rio_server", 1, RS_METRIC_RATE, RS_BOUND_SAME, 0),
                CHANGED("ping-pong", "rio_server", 1, RS_METRIC_P50, RS_BOUND_SAME, 0)},
     .clauses = 3},
    {.number = 9,
     .name = "notify-by",
     .question = "Is RIONotify better by an event or by a completion port?",
     .asker = "Stack Overflow",
     .link = "https://stackoverflow.com/questions/32894026",
     .known = "opinions",
     .hypothesis = "Either way one notification wakes one thread, and what it fetches comes from "
                   "the same queue: no difference, neither where each message needs a wake-up nor "
                   "where a wake-up serves many.",
     .why_windows = "here our provider has a wait of its own in the port's place",
     .change = {{.option = "rio-notify-by",
                 .value = "event",
                 .about = "RIONotify sets an event",
                 .rio = true,
                 .scenario = "ping-pong",
                 .also = "many-small"}},
     .changes = 1,
     .clause = {CHANGED("ping-pong", "rio_server", 0, RS_METRIC_CPU_SUM, RS_BOUND_SAME, 0),
                CHANGED("many-small", "rio_server", 0, RS_METRIC_CPU_SUM, RS_BOUND_SAME, 0)},
     .clauses = 2},
    {.number = 10,
     .name = "send-completion",
     .question = "What does the completion of a RIO send mean: acknowledged, or buffer free?",
     .asker = "DeagleGross/aspnetcore",
     .link = DEAGLEGROSS "/Rio/README.md",
     .known = "the asker: memory may be used again, no proof of receipt; closing right "
              "after it reset connections before the reply had arrived",
     .answered_by = "ModernUO: acknowledged; 92 ms from post to completion at 50 ms a round trip",
     .answered_link = "https://github.com/modernuo/ModernUO/pull/2551",
     .hypothesis = "Acknowledged. The reply of a ping-pong is acknowledged by the next request, so "
                   "both completions come together and a dequeue takes two.",
     .why_windows = "the provider under Wine completes a send when Linux has taken the bytes",
     .clause = {ALONE("ping-pong", "rio_server", RS_METRIC_DEQUEUED, RS_BOUND_AT_LEAST, 1.5)},
     .clauses = 1},
    {.number = 11,
     .name = "churn-buffers",
     .question = "Can connections be opened and closed for long without WSAENOBUFS in the client?",
     .asker = "DeagleGross/aspnetcore",
     .link = DEAGLEGROSS "/Windows/RESULTS.md",
     .known = "no campaign ended without it, whatever the addresses or pauses",
     .hypothesis = "The client ran out of ports in TIME_WAIT. loadgen spreads its connections over "
                   "250 addresses, so no run fails.",
     .why_windows = "here the client is a Linux program",
     .clause = {ALONE("churn", "iocp_server", RS_METRIC_RATE, RS_BOUND_SOUND, 0),
                ALONE("churn", "rio_server", RS_METRIC_RATE, RS_BOUND_SOUND, 0)},
     .clauses = 2},
    {.number = 12,
     .name = "look-up",
     .question = "When does the look-up of RIO's functions fail?",
     .asker = "msquic 4793",
     .link = "https://github.com/microsoft/msquic/pull/4793",
     .known =
         "pointers belong to the provider of the socket that they were asked from "
         "([quinn 2825](https://github.com/quinn-rs/quinn/pull/2825)); AdGuard's socket filter "
         "made it fail with WSAEFAULT "
         "([amnezia-client 3048]"
         "(https://github.com/amnezia-vpn/amnezia-client/issues/3048))",
     .hypothesis = "Never on a Windows without foreign providers: rio_server asks with a socket of "
                   "the kind that it uses, and starts each time.",
     .leaves_open = "one machine is one case: those where it fails, with the filter named, are "
                    "what is wanted",
     .why_windows = "here the functions come from our provider",
     .clause = {ALONE("ping-pong", "rio_server", RS_METRIC_RATE, RS_BOUND_SOUND, 0)},
     .clauses = 1},
    {.number = 13,
     .name = "gqcs-ex",
     .question = "Does GetQueuedCompletionStatusEx pay?",
     .asker = "asio 560",
     .link = "https://github.com/chriskohlhoff/asio/issues/560",
     .known = "one experiment in .NET with one port for all threads: not much difference "
              "([coreclr 20583](https://github.com/dotnet/coreclr/issues/20583))",
     .answered_here =
         "it does, and batches of 16 are too small: the prediction fails in that half. One "
         "completion a call took 1.11 times the processor time a message of 1,000 busy "
         "connections (1.10 to 1.14, 20 pairs), at most 16 a call 1.08 times (1.06 to 1.09) of "
         "what up to 256 take. The rate was 0.98 times (0.96 to 0.99) and 0.92 times (0.92 to "
         "0.94), the p99 2.48 times (2.44 to 2.52) and 3.38 times (3.29 to 3.46); an earlier "
         "series had 6.7 and 2.9 for it. It is the completions inside calls: a turn serves all of "
         "those but takes one packet, so who waits in the port waits long. With --skip-on-success "
         "off, so that each has a packet, the p99 with one a call was 1.06 times that with up to "
         "256, else 3.9 times (medians of 5 runs of 2 s, another hour). Kernel calls a message: "
         "3.29 with up to 256 a call, 3.43 with 16, 3.83 with one." IDLE_HERE_OF("20"),
     .hypothesis = "1,000 busy connections on a worker's own port leave many completions at a "
                   "time; taking them one by one costs a call each, and 16 a call save nearly all "
                   "of that.",
     .change = {{.option = "gqcs",
                 .value = "single",
                 .about = "GetQueuedCompletionStatus, one a "
                          "call",
                 .iocp = true,
                 .scenario = "wide"},
                {.option = "dequeue-batch",
                 .value = "16",
                 .about = "at most 16 a call",
                 .iocp = true,
                 .scenario = "wide"}},
     .changes = 2,
     .clause = {CHANGED("wide", "iocp_server", 0, RS_METRIC_CPU_SUM, RS_BOUND_AT_LEAST, 1.05),
                CHANGED("wide", "iocp_server", 1, RS_METRIC_CPU_SUM, RS_BOUND_AT_MOST, 1.05)},
     .clauses = 2},
    {.number = 14,
     .name = "skip-fairness",
     .question = "What does FILE_SKIP_COMPLETION_PORT_ON_SUCCESS cost in fairness?",
     .asker = "compio 787",
     .link = "https://github.com/compio-rs/compio/pull/787",
     .known = "a connection that is always ready kept the thread to itself, so compio left it out",
     .answered_here =
         "nothing where they are bounded: the prediction holds. With at most 64 completions in "
         "a row inside calls the connection that was served least got as much as with a packet "
         "for each (1.00 times, 0.999 to 1, 10 pairs), and packets made the p99 1.25 times as "
         "long (1.00 to 1.57). Without a bound the least connection got half as much (0.49 "
         "times, 0.20 to 0.79). An earlier series on a busy machine, where it got nothing at "
         "all in 9 of 17 runs, had left the p99 open." IDLE_HERE,
     .hypothesis = "Nothing where the completions taken inside calls are bounded, as here to 64 in "
                   "a row: the connection that is served least gets as much as with a packet for "
                   "each, and the tail is no longer. Without a bound it gets less.",
     .change = {{.option = "skip-on-success",
                 .value = "off",
                 .about = "a packet for each "
                          "completion",
                 .iocp = true,
                 .scenario = "pipelined"},
                {.option = "inline-max",
                 .value = "65536",
                 .about = "no bound on completions "
                          "inside calls",
                 .iocp = true,
                 .scenario = "pipelined"}},
     .changes = 2,
     .clause = {CHANGED("pipelined", "iocp_server", 0, RS_METRIC_LEAST, RS_BOUND_AT_MOST, 1.05),
                CHANGED("pipelined", "iocp_server", 0, RS_METRIC_P99, RS_BOUND_AT_LEAST, 0.95),
                CHANGED("pipelined", "iocp_server", 1, RS_METRIC_LEAST, RS_BOUND_AT_MOST, 0.95)},
     .clauses = 3},
    {.number = 15,
     .name = "overlapped-range",
     .question = "What is SetFileIoOverlappedRange worth?",
     .asker = "asio 79",
     .link = "https://github.com/chriskohlhoff/asio/issues/79",
     .known = "it locks the OVERLAPPEDs, not the buffers",
     .leaves_open = "the servers do not call it, and it needs a privilege"},
    {.number = 16,
     .name = "fifteen-thirty",
     .question = "Are 15 % more throughput, or 30 % less processor time, ever reached?",
     .asker = "oferchen/rsync, pull request 6005",
     .link = "https://github.com/oferchen/rsync/pull/6005",
     .known = "the bar at 256 connections or more, also that of this project's decision; no result",
     .hypothesis = "Yes, where many connections each have several requests in flight: the deeper "
                   "the queue, the more a commit and a dequeue serve.",
     .why_windows = WHY_RATIO,
     .any = true,
     .clause = {RIO_OVER_IOCP("wide", RS_METRIC_RATE, RS_BOUND_AT_LEAST, 1.15),
                RIO_OVER_IOCP("wide", RS_METRIC_CPU_SUM, RS_BOUND_AT_MOST, 0.70),
                RIO_OVER_IOCP("256x16x32", RS_METRIC_RATE, RS_BOUND_AT_LEAST, 1.15),
                RIO_OVER_IOCP("256x16x32", RS_METRIC_CPU_SUM, RS_BOUND_AT_MOST, 0.70)},
     .clauses = 4},
    {.number = 17,
     .name = "pause-resume",
     .question = "Can RIO bound memory with a slow reader, with several receives posted?",
     .asker = "SocketSet",
     .link = SOCKETSET "/blob/main/IOCP-VS-RIO.md",
     .known = "with several posted its pause and resume broke, by two bugs of its own",
     .answered_here =
         "bounded yes, at 1.25 times no: the prediction does not hold. In 10 runs with eight "
         "receives sessions were paused and resumed 4,700 to 7,200 times, 9,100 to 13,600 in 10 "
         "with one, and no byte was lost, wrong or out of order. Memory a connection was 1.58 "
         "times (1.58 to 1.69, 10 pairs) that with one receive, 75 KB against 47 KB, the same in "
         "every run: each further receive is a slice of 5 KiB, registered at the start, whatever "
         "the reader does." BUSY_HERE,
     .hypothesis =
         "Yes: what a receive has brought stays in its slice while the session is paused, "
         "and none is posted meanwhile, so slices and queue bound the memory. Here 64 "
         "replies of 32 bytes meet a queue of 1,024, which pauses and resumes all the "
         "time, and every byte is checked.",
     .leaves_open = "a reader that stops for good is closed after a second, whatever is posted",
     .set = {"rio_server.max-frame=1024", "rio_server.max-queued=1024"},
     .change = {{.option = "recvs",
                 .value = "8",
                 .about = "eight receives a session",
                 .rio = true,
                 .scenario = "pipelined"}},
     .changes = 1,
     .clause = {CHANGED("pipelined", "rio_server", 0, RS_METRIC_RATE, RS_BOUND_SOUND, 0),
                CHANGED("pipelined", "rio_server", 0, RS_METRIC_MEMORY_EACH, RS_BOUND_AT_MOST,
                        1.25)},
     .clauses = 2},
    {.number = 18,
     .name = "udp",
     .question = "Does USO work with RIO rings, and RIONotify with UDP without loss?",
     .asker = "udp-performance-ladder, WinUDPShardedEcho, RioSharp 4",
     .link = "https://github.com/aL3891/RioSharp/issues/4",
     .known = "25 % of the datagrams lost in one project, some every few minutes in another",
     .leaves_open = "Ringside is TCP"},
};

uint32_t rs_question_count(void) {
    return (uint32_t)(sizeof question_table / sizeof question_table[0]);
}

const rs_question *rs_question_at(uint32_t index) {
    RS_ASSERT(index < rs_question_count());
    return &question_table[index];
}
