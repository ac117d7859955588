# SPDX-License-Identifier: MIT
# The planted mistakes; cmake/RingsideMutate.cmake says how an entry is read. Each is one that a tired
# person could make. When the code changes, unit.mutants_apply names the entries to move along.

# ---- core

mutants_of(src/common/core/timer.c "unit\\.timer|unit\\.session")
mutant("a deadline fires a tick early" [[ms / RS_TIMER_TICK_MS + (ms % RS_TIMER_TICK_MS != 0)]] [[ms / RS_TIMER_TICK_MS]])
mutant("the walk under way loses its place" [[        @{timers->cursor = node->next;}@ /* the walk]] [[;]])
mutant("the neighbour keeps pointing at what is gone" [[        @{timers->nodes[node->next].prev = node->prev;}@]] [[;]])
mutant("a new timer does not move the next tick" [[        @{timers->next_tick = tick;}@]] [[;]])
mutant("armed again in another slot without leaving the first" [[        @{rs_timers_cancel(timers, item);}@
        timer_link]] [[node_set_slot(&timers->nodes[item], RS_TIMER_UNARMED);]])
mutant("a node of a later turn fires in this one" [[if (@{timer_tick_at(node_deadline_ms(&timers->nodes[item])) <= timers->now_tick}@) {]] [[1]])
mutant("a jump of more than a turn skips slots" [[            timers->now_tick = @{timers->target_tick - RS_TIMER_WHEEL_SLOTS}@;]] [[timers->target_tick - 1]])
mutant("the search stops one slot short" [[    for (uint32_t i = 1; @{i <= RS_TIMER_WHEEL_SLOTS}@; i++) {]] [[i < RS_TIMER_WHEEL_SLOTS]])
mutant("time left is told as time passed" [[    return @{at_ms > now_ms}@ ? at_ms - now_ms : 0;]] [[1]])
mutant("more due is not told" [[    if (@{timers->next_tick <= timers->target_tick}@) {]] [[0]])
mutant("a deadline that has passed waits a turn" [[        @{tick = timers->now_tick + 1;}@]] [[;]])

mutants_of(src/common/core/frame.c "unit\\.frame|fuzz")
mutant("a length of two is taken" [[    if (@{length < RS_FRAME_HEADER_BYTES}@ || length > frame_bytes_max) {]] [[length + 1 < RS_FRAME_HEADER_BYTES]])
mutant("a frame one byte too long is taken" [[ || @{length > frame_bytes_max}@) {]] [[length > frame_bytes_max + 1]])
mutant("the last byte of a frame is not waited for" [[    return @{length <= bytes}@ ? RS_OK]] [[length <= bytes + 1]])
mutant("the high byte of the length is lost" [[    out[1] = (uint8_t)(@{length >> 8}@);]] [[length >> 9]])
mutant("one byte decides too early" [[    const uint32_t least = @{low < RS_FRAME_HEADER_BYTES}@ ? low + 256u : low;]] [[0]])

mutants_of(src/common/core/histogram.c "unit\\.histogram|unit\\.stats")
mutant("rank rounds down" [[(rest + HISTOGRAM_PERCENT_ALL - 1u) / HISTOGRAM_PERCENT_ALL]] [[rest / HISTOGRAM_PERCENT_ALL]])
mutant("percentile answers the top of its bucket beyond the maximum" [[    return @{top < histogram->max}@ ? top]] [[1]])
mutant("merge forgets the sum" [[    @{into->sum += from->sum;}@]] [[;]])
mutant("merge forgets what was clamped" [[    @{into->clamped += from->clamped;}@]] [[;]])
mutant("merge keeps its own minimum" [[    if (into->count == 0 || @{from->min < into->min}@) {]] [[0]])
mutant("a count weighs once in the sum" [[    histogram->sum += @{value * count}@;]] [[value]])
mutant("the first value is no minimum" [[    if (@{histogram->count == 0}@ || value < histogram->min) {]] [[0]])
mutant("buckets are one bit too wide" [[    return (shift << RS_HISTOGRAM_STEP_BITS) + (uint32_t)(@{value >> shift}@);]] [[(value >> shift) & ~1u]])

mutants_of(src/common/core/slab.c "unit\\.slab|unit\\.sendq")
mutant("a block that was freed keeps its generation" [[    @{entry->generation++;}@]] [[;]])
mutant("generation 0 is handed out" [[    if (@{entry->generation == 0}@) {]] [[0]])
mutant("the lowest fill is not noted" [[        @{slab->free_low = slab->free_count;}@]] [[;]])
mutant("the free list loses a block" [[        @{entry->next_free = slab->free_head;}@]] [[entry->next_free = UINT32_MAX;]])

mutants_of(src/common/core/sendq.c "unit\\.sendq|unit\\.session|sim\\.seeds|conf\\.epoll")
mutant("strangers take a session's reserve" [[    while (@{rs_sendq_common(pool) < blocks}@) {]] [[pool->blocks->free_count < blocks]])
mutant("a session that leaves keeps its reserve" [[        @{pool->spoken_for -= sendq_untaken(pool, queue) + queue->promised;}@]] [[pool->spoken_for -= queue->promised;]])
mutant("a promise is made twice" [[    pool->spoken_for += @{beyond - queue->promised}@; /* modulo]] [[beyond]])
mutant("what is read ahead takes the reserves of those who come" [[        rs_sendq_common(pool) < @{beyond - queue->promised + pool_kept(pool)}@) {]] [[beyond - queue->promised]])
mutant("who gets on is cut first" [[        if (@{queue->owned - 1u > pool->reserve}@) {
            above_push]] [[0]])
mutant("the longest waiting is last" [[    @{pool->above_last = queue;}@
}]] [[if (pool->above_last != queue->above_before || queue->above_before == NULL) { pool->above_last = queue; } else { pool->above_last = queue; pool->above_first = queue; }]])
mutant("a long message is queued in part" [[    if (@{!sendq_make_room(pool, queue, blocks - sendq_blocks_kept(queue))}@) {]] [[0]])
mutant("one byte more than --max-queued" [[    if (@{bytes > pool->queued_bytes_max - rs_sendq_bytes(pool, queue)}@) {
        return RS_E_FULL;
    }
    if (pool->coalesce]] [[bytes > pool->queued_bytes_max - rs_sendq_bytes(pool, queue) + 1u]])
mutant("the room of a block is taken for that of the queue" [[    queue->room = @{in_block < in_queue ? in_block : in_queue}@;]] [[in_block]])
mutant("a queue that was left is appended to" [[        queue->member = false;
        @{queue->room = 0;}@]] [[;]])
mutant("without coalescing there is room all the same" [[    queue->room = @{pool->coalesce ? queue->room : 0}@;]] [[queue->room]])
mutant("a broadcast goes behind an empty block" [[    @{sendq_set_kept_aside(pool, queue);}@]] [[;]])
mutant("a part of a broadcast is kept as a block" [[    if (RS_LIKELY(entry == queue->tail && @{rs_sendq_is_own(pool, entry)}@)) {]] [[1]])
mutant("a shared block is not held by who sends it" [[    @{rs_slab_hold(pool->blocks, slice);}@
    entry->slice = slice;]] [[;]])
mutant("a frame of another block is taken for the packed one" [[                  @{pool->packed.index == slice->index}@ && bytes <= pool->packed_bytes;]] [[1]])
mutant("the end of the pack is not looked at" [[    if (pool->pack.generation == 0 || @{bytes > room}@) {]] [[0]])
mutant("without coalescing a session pays with its life" [[           @{rs_sendq_common(pool) <= pool_kept(pool)}@;]] [[0]])

# ---- seam

mutants_of(src/common/seam/region_set.c "unit\\.region_set|conf\\.sim")
mutant("the last byte of the slices is in the first block" [[        cut, @{offset < behind}@ ? (uint32_t)]] [[offset + 1u < behind]])
mutant("blocks begin where slices do" [[                             @{behind + (uint64_t)(index - cut->slices) * cut->block_bytes}@};]] [[(uint64_t)(index - cut->slices) * cut->block_bytes]])

mutants_of(src/common/seam/conn_engine.c "unit\\.conn_engine|fuzz|conf\\.epoll")
mutant("a second escalation is taken" [[ || @{conn->abort_taken}@ || op->kind]] [[0]])
mutant("an op of an older generation is taken" [[    if (@{op->generation != conn->generation}@) {]] [[0]])
mutant("one receive more than reserved is taken" [[    if (@{conn->recvs == engine->cfg.recvs_per_conn}@) {]] [[0]])
mutant("a receive that is done overtakes" [[        if (@{req->state != RS_REQ_DONE}@) {
            return;
        }
        req->state]] [[0]])
mutant("the ring of receives does not begin anew" [[    conn->recvs_held = conn->recvs_untold = @{conn->recv_head = 0}@;]] [[conn->recv_head]])
mutant("one send more than reserved is taken" [[    if (@{conn->sends >= engine->cfg.sends_per_conn}@) {]] [[conn->sends > engine->cfg.sends_per_conn]])
mutant("a send after the end of our stream is taken" [[op->bytes == 0 || @{conn->shutdown}@) {
        return RS_E_INVALID;]] [[0]])
mutant("an empty receive is taken" [[    if (@{op->u.data == NULL || op->bytes == 0}@) {]] [[op->u.data == NULL]])
mutant("the abort of a close is forgotten" [[    @{conn->abort_taken = (op->flags & RS_OPF_ABORT) != 0;}@]] [[;]])
mutant("a send stays in flight when it was handed out" [[        @{conn->sends--;}@]] [[;]])
mutant("a free slot takes an abort" [[    if (@{conn->phase == RS_CONN_FREE}@]] [[0]])
mutant("a run goes on to another connection" [[             @{ops[taken].conn == ops[0].conn}@);]] [[1]])
mutant("more are joined than may be" [[    return @{conn->sends_held < engine->cfg.gather_max}@ ? conn->sends_held]] [[1]])
mutant("a short call is shared wrongly" [[        @{bytes -= part;}@]] [[;]])
mutant("a send that was taken in part is over" [[        if (@{part < left && status == RS_OK && engine->cfg.partial_sends}@) {]] [[0]])
mutant("a send that is done overtakes" [[        if (@{req->state != RS_REQ_DONE}@) {
            return;
        }
        engine_send_tell]] [[0]])
mutant("the ring of sends does not wrap" [[(conn->send_head + 1u == engine->cfg.sends_per_conn ? @{0u}@]] [[1u]])
mutant("the records of a run do not wrap" [[    return at + i < end ? at + i : @{at + i - engine->cfg.sends_per_conn}@;]] [[end - 1u]])
mutant("what was held is not failed with a broken connection" [[        @{engine_held_fail(engine, index, status);}@]] [[;]])
mutant("a send leaves behind one that failed" [[            @{conn->todo |= RS_ENGINE_TODO_GAP;}@]] [[;]])
mutant("our stream ends behind a gap" [[    if (@{status != RS_OK}@ && (conn->todo & RS_ENGINE_TODO_SHUTDOWN)]] [[conn->broken != RS_OK]])
mutant("CLOSE completes while a receive is out" [[           (@{conn->recvs_posted > 0}@ || conn->sends_posted]] [[0]])
mutant("CLOSE completes while a send is out" [[ || @{conn->sends_posted > 0}@ || conn]] [[0]])
mutant("CLOSE completes while the connect is out" [[ || @{conn->connect_busy}@);]] [[0]])
mutant("a plain close does not wait for sends" [[    } else if (@{conn->sends_untold > 0}@) {
        return action;]] [[0]])
mutant("a receive in its turn outlives the close" [[        @{engine_recvs_fail(engine, op->conn, RS_E_ABORTED);}@]] [[;]])
mutant("an escalation does not end the flushing" [[    RS_ASSERT((conn->todo & RS_ENGINE_TODO_END) != 0);
    @{conn->abort_taken = true;}@
    return]] [[;]])
mutant("an abort is a plain close" [[    if (ends && (conn->broken != RS_OK || @{conn->abort_taken}@)) {]] [[0]])
mutant("the receive is not asked back before a close" [[    if (@{!engine->cfg.cancels_recv || conn->recvs_posted == 0}@) {]] [[1]])
mutant("the receive is asked back again and again" [[    return @{conn->recv_cancelled}@ ? RS_DO_NONE]] [[0]])
mutant("a refused call counts as posted" [[    const bool was_posted = @{req->state == RS_REQ_POSTED}@;]] [[true]])
mutant("our own close is told as the peer's reset" [[    if (@{conn->socket_gone}@ || (kind]] [[0]])
mutant("a receive that we took back is told as a reset" [[(kind == RS_OP_RECV && @{conn->recv_cancelled}@)) {]] [[0]])
mutant("the peer's abort is told as ours" [[    return @{status == RS_E_ABORTED}@ ? RS_E_RESET : status;]] [[0]])

mutants_of(src/common/seam/region_set.c "unit\\.region_set")
mutant("one region less" [[    for (uint16_t i = 0; i < @{RS_REGIONS_MAX}@; i++) {]] [[RS_REGIONS_MAX - 1u]])
mutant("a region is never given back" [[    @{set->taken &= ~(UINT64_C(1) << region.value);}@]] [[;]])

mutants_of(src/common/seam/backend_config.c "unit\\.backend_config")
mutant("zero is within" [[    return @{value >= 1}@ && value <= max;]] [[1]])
mutant("a value given is not looked at" [[    return @{rs_options_check(table, own, error)}@;]] [[RS_OK]])
mutant("what was given is not taken" [[    if (@{cfg->own != NULL}@) {]] [[0]])

# ---- settings

mutants_of(src/common/core/options.c "unit\\.options|unit\\.backend_config")
mutant("a 16-bit member is written as 32 bits" [[    } else if (row->bytes == @{sizeof(uint16_t)}@) {
        *(uint16_t *)at]] [[99u]])
mutant("what the back end does not name is honoured" [[group->values == NULL || (@{group->honoured != NULL}@ &&]] [[0]])
mutant("a list begins anew" [[        list->item[@{list->count++}@].bytes]] [[list->count = 1]])
mutant("the range is not looked at for values of no command line" [[        if (@{row_is_number(row)}@ && !row_takes]] [[0]])
mutant("a list may not be given again" [[    if (*given && @{at->row->kind != RS_OPT_LIST}@) {]] [[1]])
mutant("the record has what is refused" [[        if (@{at.refusal == NULL}@ && (except]] [[at.values != NULL]])

# ---- server

mutants_of(src/common/seam/mailbox.c "unit\\.mailbox|interleave|unit\\.shard")
mutant("a full ring looks like a fast rival" [[        } else if (@{(int32_t)(turn - position) < 0}@) {]] [[turn < position]])
mutant("the position is not looked up again" [[        @{position = rs_atomic_load_u32(&box->write_position);}@
    }]] [[position++;]]
    EQUIVALENT "it walks to where the rivals are instead of jumping: what it passes is taken")
mutant("a slot is given back to the wrong round" [[&message->turn, box->read_position + @{box->slot_count}@);]] [[box->slot_count - 1u]])
mutant("a payload one byte too long is taken" [[    if (@{bytes > box->payload_max}@) {]] [[bytes > box->payload_max + 1u]])
mutant("the length of an empty message is the last one's" [[    @{message->bytes = bytes;}@]] [[message->bytes = bytes > 0 ? bytes : message->bytes;]])
mutant("written before it is whole" [[    @{if (bytes > 0) {
        memcpy(message->payload, payload, bytes);
    }
    rs_mailbox_publish(message);}@]] [[rs_mailbox_publish(message); if (bytes > 0) { memcpy(message->payload, payload, bytes); }]])

mutants_of(src/common/server/spsc.c "unit\\.spsc|interleave|unit\\.logic")
mutant("the end of the memory is one record short" [[    uint32_t skip = @{need > to_end}@ ? to_end : 0;]] [[need >= to_end]])
mutant("a ring that is full to the last byte says so too early" [[    if (@{ring->capacity - (ring->write_at - ring->read_seen) >= need}@) {]] [[ring->capacity - (ring->write_at - ring->read_seen) > need]]
    EQUIVALENT "the second look, at the reader's own word, takes it")
mutant("the reader's word is never looked at again" [[    @{ring->read_seen = rs_atomic_load_u32(&ring->read);}@]] [[;]])
mutant("a skip is handed out" [[    if (record != NULL && @{record->kind == SPSC_SKIP}@) {]] [[0]])
mutant("room is given back before the record was read" [[    @{ring->read_at += (uint32_t)rs_spsc_record_bytes(record->bytes);
    rs_atomic_store_u32(&ring->read, ring->read_at);}@]] [[ring->read_at += (uint32_t)rs_spsc_record_bytes(record->bytes); rs_atomic_store_u32(&ring->read, ring->written_seen);]])
mutant("the record is published before its payload" [[    if (bytes > 0) {
        @{memcpy(record + 1, data, bytes);}@]] [[rs_atomic_store_u32(&ring->written, ring->write_at + need); memcpy(record + 1, data, bytes);]])

mutants_of(src/common/server/logic.c "unit\\.logic|interleave|unit\\.shard")
mutant("a record goes behind an on_close that is still due" [[    if (@{!channel_flush_closes(channel)}@ ||
        rs_spsc_push(&channel->to_logic, kind]] [[0]])
mutant("a session's end is not told when the ring was full" [[        channel->close_head = closed->next;
    }
    @{channel->close_tail = CLOSE_NONE;}@]] [[;]] EQUIVALENT "the head alone says that the list is empty")
mutant("room is told again and again" [[    @{(void)rs_atomic_exchange_u32(&logic->room_told, 0);}@
    if (logic->app.on_room]] [[;]])
mutant("the logic thread sleeps over room" [[    return @{rs_atomic_load_u32(&logic->room_told) != 0}@ ||]] [[0]])
mutant("a shard does not look once more before it sleeps" [[    return @{rs_spsc_peek(&channel->from_logic) == NULL}@ &&
           (flushed]] [[1]])
mutant("the logic thread does not look once more before it sleeps" [[        if (@{logic_has_work(logic)}@) {]] [[0]])
mutant("who waits for room is not woken by room" [[                (asleep == LOGIC_WANTS_ROOM && @{drained}@);]] [[0]])
mutant("a message does not hold its session" [[    @{rs_session_hand_over(slot, bytes);}@ /* until FROM_DONE of this message */]] [[;]])
mutant("the session whose message waits may have ended" [[        if (session != NULL && @{!rs_session_takes(session)}@) {
            return;]] [[0]])

mutants_of(src/common/core/session.c "conf\\.epoll|sim\\.seeds")
mutant("a source waits for its own queue" [[    return &table->sessions[@{table->links != NULL}@ ? table->links[index].sink : index];]] [[0]])
mutant("a source is not told of room" [[    if (@{source->state == RS_SESSION_PAUSED}@) {
        session_touch(source);]] [[0]])
mutant("whose sink has ended waits for it" [[        links[source].sink = source;
        @{session_wake_source(session);}@]] [[;]])

mutants_of(src/common/server/shard.c "unit\\.shard|unit\\.logic|interleave|conf\\.epoll|sim\\.seeds")
mutant("messages beyond one turn's share is forgotten" [[    @{rs_atomic_store_u32(&shard->message_pending, 1);}@ /* more is there: the next turn goes on */]] [[;]])
mutant("sleeps over a pending message" [[    if (@{rs_atomic_load_u32(&shard->message_pending) != 0}@) {
        return 0;]] [[0]])
mutant("the end does not wait for posters" [[    while (@{rs_atomic_add_u32(&shard->posters, 0) != 0}@) {]] [[0]])
mutant("who comes late gets in" [[    if (@{rs_atomic_add_u32(&shard->gate_closed, 0) == 0}@) {]] [[1]])
mutant("message is said to be there before it is" [[    @{status = rs_mailbox_post(&shard->mailbox, kind, value, pointer, payload, bytes);
    if (status == RS_OK && rs_atomic_exchange_u32(&shard->message_pending, 1) == 0) {
        shard->api->wake(shard->backend);
    }}@]] [[if (rs_atomic_exchange_u32(&shard->message_pending, 1) == 0) { shard->api->wake(shard->backend); } status = rs_mailbox_post(&shard->mailbox, kind, value, pointer, payload, bytes);]])
mutant("pending is cleared after the mailbox was read" [[    @{(void)rs_atomic_exchange_u32(&shard->message_pending, 0);}@
    for (uint32_t i = 0; i < RS_MESSAGES_PER_STEP_MAX; i++) {
        const rs_message *message = rs_mailbox_peek(&shard->mailbox);
        if (message == NULL) {]] [[if (rs_mailbox_peek(&shard->mailbox) == NULL) { (void)rs_atomic_exchange_u32(&shard->message_pending, 0); }]])
mutant("sends behind a refused one go out" [[        at++;
    } while (@{at < count && refused->kind == RS_OP_SEND}@ && shard->ops]] [[0]])
mutant("who waits for room in the mailbox is not told of it" [[    @{rs_os_event_set(shard->room);}@]] [[;]])
mutant("a stop is not woken for" [[        if (@{rs_atomic_exchange_u32(&shard->stop_asked, 1) == 0}@) {]] [[rs_atomic_exchange_u32(&shard->stop_asked, 1) == 2]])
mutant("a drain is not woken for" [[        if (@{rs_atomic_exchange_u32(&shard->drain_asked, 1) == 0}@) {]] [[rs_atomic_exchange_u32(&shard->drain_asked, 1) == 2]])
mutant("a drain has no deadline" [[    if (@{shard->sessions.now_ns < shard->leave_deadline_ns}@ && !shard_is_empty(shard)) {]] [[1]])
mutant("a release overtakes its hold" [[        @{rs_logic_channel_turn(shard->logic);}@
    }
    shard->sessions.counters.mailbox_messages++;]] [[;]])
mutant("the first deadline of a drain resets nobody" [[        @{rs_sessions_close_all(&shard->sessions, true);}@]] [[;]])
mutant("a question asked at the end is not answered" [[        if (message->kind == RS_MESSAGE_ATTACH || @{message->kind == RS_MESSAGE_STATS}@ ||]] [[0]])
mutant("a callback that waits for room is not told of it" [[            @{shard->cfg.tell_room(shard->cfg.tell_room_ctx, i);}@]] [[;]])
mutant("room is told again and again" [[    @{(void)rs_atomic_exchange_u32(&shard->room_told, 0);}@]] [[;]])
mutant("a sleeping shard is not told of room" [[        if (rs_atomic_exchange_u32(&shard->room_told, 1) == 0) {
            @{shard->api->wake(shard->backend);}@]] [[;]])
mutant("who waits for a session to end waits for ever" [[           @{waiters->at[waiters->head].until_ns > shard->sessions.now_ns}@;]] [[1]])
mutant("nobody may wait for a session to end" [[    if (shard->phase != SHARD_RUNNING || @{waiters->count == RS_ROOM_WAITERS}@) {]] [[1]])
mutant("a newcomer overtakes those who wait" [[ && @{shard->waiters.count == 0}@ && shard_place(shard, arrival)) {]] [[1]])
mutant("what has ended is published after its peer is told" [[        @{shard_publish(shard);}@
        if (count == 0) {
            return;
        }
        shard_submit(shard, count);]] [[if (count == 0) { shard_publish(shard); }]])
mutant("a given socket that is refused was never given" [[        @{shard->assigned++;}@
        shard_discard]] [[;]])
mutant("deadlines are looked at before what has come in" [[    if (@{settling->dry < settling->dry_max && settling->turns < settling->turns_max}@) {
        return;]] [[0]])

mutants_of(src/common/server/server.c "integration\\.server|conf\\.epoll|integration\\.loadgen")
mutant("--max-sessions is not divided among the workers" [[    if (@{route_count(server, used) >= server->cfg.sessions_max}@) {]] [[route_count(server, used) == UINT32_MAX]])
mutant("worker 0 listens though another failed" [[                @{return RS_E_CLOSED;}@ /* the other worker's error is the one to report */]] [[;]])
mutant("a full mailbox loses the socket" [[        if (@{rs_shard_post(server->workers[target].shard, RS_MESSAGE_ATTACH, 0, NULL, arrival,
                          sizeof *arrival) == RS_OK}@) {]] [[rs_shard_post(server->workers[target].shard, RS_MESSAGE_ATTACH, 0, NULL, arrival, sizeof *arrival) < 1000]])
mutant("connections go round in turn whatever the fill" [[        best = @{used[i] < used[best] ? i : best}@;]] [[best]])
mutant("figures are read of a shard that still runs" [[    @{(void)rs_os_event_wait(worker->finished, UINT32_MAX);}@]] [[;]])
mutant("a worker's end is not told to the next who waits" [[    @{rs_os_event_set(worker->finished);}@
    rs_shard_stats_add]] [[;]])

mutants_of(src/common/server/server.c "integration\\.library")
mutant("a broadcast to some goes to all shards" [[            if (cast->ids[*at] != 0 && @{rs_session_id_shard(cast->ids[*at]) == shard}@) {]] [[1]])
mutant("the ids beyond one message are left out" [[    return (@{ids + RS_BROADCAST_IDS - 1u}@) / RS_BROADCAST_IDS;]] [[ids]])
mutant("what was claimed for a broadcast and abandoned is never published" [[            message->bytes = 0;
            @{rs_shard_publish(server->workers[i].shard, message);}@]] [[;]])
mutant("a broadcast that found a full mailbox is not told of room" [[        if (status != RS_E_FULL || @{full == sought}@) {]] [[1]])
mutant("a broadcast of any length is taken" [[    if (bytes == 0 || @{bytes > server->cfg.frame_bytes_max}@ ||
        count]] [[0]])
mutant("a callback may wait for room" [[    if (@{server_caller(server) != RS_ROOM_OTHERS}@) {
        return RS_E_THREAD;
    }
    (void)rs_atomic_add_u32]] [[0]])
mutant("the next who waits for room is not told" [[    if (@{rs_atomic_add_u32(&server->room_waiters, UINT32_MAX) > 1u}@ && room) {]] [[(rs_atomic_add_u32(&server->room_waiters, UINT32_MAX), 0)]])
mutant("a callback on the logic thread is taken for a stranger" [[        return @{rs_logic_is_here(server->logic)}@ ? RS_ROOM_LOGIC]] [[false]])
mutant("a callback on a worker is taken for a stranger" [[        if (shard != NULL && @{rs_shard_is_here(shard)}@) {]] [[0]])
mutant("the server listens on its first address alone" [[    for (i = 0; @{i < server->addr_count}@ && status == RS_OK; i++) {]] [[i < 1]])
mutant("a server that cannot have its second address stays on the first" [[        @{rs_shard_stop(worker->shard);
        while (rs_shard_step(worker->shard, RS_FOREVER)) {
        }}@]] [[;]])
mutant("statistics may be visited from a callback" [[    if (@{server_caller(server) != RS_ROOM_OTHERS}@) {
        return RS_E_THREAD;
    }
    (void)rs_os_event_wait(server->stats_turn]] [[0]])
mutant("a drain ends when the listening worker is empty" [[        .is_empty = @{server->worker_count > 1}@ ? worker_is_empty]] [[0]])
mutant("a drain stops the listening worker alone" [[        .stop = @{worker_stop}@,]] [[NULL]])

mutants_of(src/common/server/shard_log.c "unit\\.shard_log")
mutant("cuts are not said" [[    if (@{line.count == 0}@) {]] [[1]])
mutant("refused connections are not said" [[    @{cut_add(line, "refused", "refused (--max-sessions are open)", now->refused - before->refused);}@]] [[;]])
mutant("cuts are said at each look" [[    log->unsaid = @{now_ns < log->next_ns}@;]] [[false]])
mutant("cuts are said again" [[    @{log->said = *counters;}@]] [[;]])
mutant("cuts that wait are not due" [[    if (seen == log->seen && @{!log->unsaid}@) {]] [[1]])

mutants_of(src/common/core/handle.c "unit\\.session|unit\\.logic|sim\\.seeds")
mutant("a stranger's shared block with the same numbers is taken" [[    return rs_slab_is_lent(blocks, slice) && @{rs_slab_data(blocks, slice) == shared->data}@;]] [[1]])
mutant("a shared block that was released keeps its name" [[    @{*shared = (rs_shared){.room = shared->room};}@]] [[;]])

mutants_of(src/common/core/handle.c "integration\\.library|unit\\.session")
mutant("any thread may send" [[    return @{is_ours(session)}@ ? session->ops->send(]] [[1]])
mutant("any thread may hold, release, pause and resume" [[    if (@{!is_ours(session)}@) {
        return RS_E_THREAD;
    }
    call(session);]] [[0]])
mutant("any thread may close" [[    if (@{!is_ours(session)}@) {
        return RS_E_THREAD;
    }
    session->ops->close]] [[0]])
mutant("any thread may acquire a shared block" [[    return @{is_ours(session)}@ && session->ops->shared_acquire]] [[1]])
mutant("any thread may send a shared block" [[    return @{is_ours(session)}@ ? session->ops->shared_send]] [[1]])
mutant("any thread may release a shared block" [[    if (@{!is_ours(session)}@) {
        return RS_E_THREAD;
    }
    session->ops->shared_release]] [[0]])
mutant("any thread may ask for the id" [[    return @{is_ours(session)}@
               ? rs_session_id_make]] [[1]])
mutant("any thread may ask for the server" [[    return @{is_ours(session)}@ ? session->ops->server]] [[1]])
mutant("any thread may set the user's word" [[    if (@{!is_ours(session)}@) {
        return RS_E_THREAD;
    }
    session->user]] [[0]])
mutant("any thread may read the user's word" [[    return @{is_ours(session)}@ ? session->user]] [[1]])

mutants_of(src/common/core/session.c "unit\\.session|unit\\.shard|sim\\.seeds|conf\\.epoll")
mutant("raw: the idle clock is never renewed" [[        session_empty_slice(session);
        @{session->last_frame_ms = table->now_ms;}@
        table->counters.messages_in++;]] [[;]])
mutant("a frame does not renew the idle clock" [[        left -= frame_bytes;
        @{session->last_frame_ms = table->now_ms;}@]] [[;]])
mutant("a paused session is given more" [[        if (left == 0 || @{session->state != RS_SESSION_OPEN}@) {]] [[0]])
mutant("a truncated send passes" [[    if (@{completion->bytes != asked}@) {]] [[0]])
mutant("a slot that was freed keeps its generation" [[    session->state = RS_SESSION_FREE;
    @{session->handle.generation++;}@]] [[;]])
mutant("a completion of an older use is taken" [[            @{table->sessions[at->conn].handle.generation != at->generation}@) {]] [[0]])
mutant("an end that should wait for held answers does not" [[        if (@{session->holds > 0 && reason_waits(reason)}@) {]] [[0]])
mutant("a broken session flushes" [[    session->abort = @{!reason_flushes(reason)}@;]] [[false]])
mutant("no FIN before the close of our own" [[    return @{reason == RS_CLOSE_LOCAL}@ || reason == RS_CLOSE_SHUTDOWN;
}

/* An orderly]] [[0]])
mutant("a partial frame is moved over its own rest" [[        @{session->recv_at += held;}@]] [[session->recv_at += held - 1u;]])
mutant("what may not be answered yet is read" [[        } else if (@{!session_needs_care(session) || session_book_receive(session)}@) {]] [[1]])
mutant("a slice is read again from its beginning" [[        @{slices->read += bytes;}@]] [[;]])
mutant("a slice that was copied is lost" [[            return bytes;
        }
        @{slices_free(slices, which);}@]] [[;]])
mutant("what a pause left is read behind the next slice" [[        @{session_parse_behind(session, 0);}@
    }
    if (slices]] [[;]])
mutant("a session touched twice is listed twice" [[    if (@{session->touched == 0}@) {]] [[1]])
mutant("who is touched while others are collected is forgotten" [[    size_t count = @{(size_t)(table->touched_end - from)}@;]] [[0]])
mutant("a session that has ended takes sends again once one has completed" [[        @{rs_sendq_clear_room(&session->sendq);}@]] [[;]])
mutant("a send that takes blocks of the answers to come is not careful" [[        session->careful = session->careful || @{session->sendq.owned > rs_slot_table(session)->easy}@;]] [[0]])
mutant("a straggler is not reset" [[    rs_slot_table(session)->counters.escalated_closes++;
    @{session->abort = true;}@]] [[;]])
mutant("an absence is counted against a peer" [[        if (@{now_ns - table->now_ns >= RS_AWAY_NS}@) {]] [[0]])
mutant("a sleep is taken for an absence" [[    return (@{may_stall}@ || counts) &&]] [[0]])
mutant("a close that never completes is waited for" [[            @{session_quarantine(session);}@]] [[;]])
mutant("a close that completes late stays given up" [[    table->quarantined -= @{session->quarantined}@ ? 1u : 0u;]] [[0]])
mutant("a stale id is found" [[    if (@{table->sessions[index].handle.generation != rs_session_id_generation(id)}@ ||]] [[0]])
mutant("a refused CLOSE counts as the close" [[    } else if (@{op->kind != RS_OP_CLOSE}@) {
        /* A second]] [[1]])
mutant("one release too many ends the server" [[    if (@{session->holds == 0}@) { /* a caller's]] [[0]])
mutant("send times are told in microseconds" [[    sessions_record_send(table, @{table->now_ns - posted_ns}@);]] [[(table->now_ns - posted_ns) / 1000u]])
mutant("a session cut for its blocks keeps them until the end of the turn" [[    @{rs_sendq_discard(&table->sendq_pool, &session->sendq);}@
    RS_ASSERT(session->sendq.owned]] [[;]])
mutant("the asker itself is cut" [[    if (@{queue != NULL && queue == asker}@) {]] [[0]])
mutant("a raw session reads beyond its reserve" [[    return @{queue->owned <= pool->reserve - table->answer_blocks}@ &&
           rs_slot]] [[1]])
mutant("a raw session reads more than may be queued" [[           @{rs_sendq_bytes(pool, queue) <= pool->queued_bytes_max / 2u}@;]] [[1]])
mutant("a paused session is told of the end before its data" [[    if (@{session->state == RS_SESSION_PAUSED}@) {
        session_keep]] [[completion->bytes > 0]])
mutant("a paused session is idle" [[    if (@{session->sendq.in_flight == 0}@) {
        return table->now_ms;]] [[0]])
mutant("a broadcast longer than a block is put into one" [[    if (@{bytes <= table->sendq_pool.blocks->block_bytes}@ &&
        rs_sessions_shared_acquire]] [[1]])
mutant("a broadcast keeps its block" [[        @{rs_sessions_shared_release(table, &shared);}@
    }
    RS_ASSERT(lost]] [[;]])
mutant("who cannot take a broadcast is let be" [[        @{session_cut(session, status == RS_E_FULL ? RS_CLOSE_SLOW_CONSUMER : RS_CLOSE_NO_BUFFERS);}@]] [[;]])
mutant("ids that are gone are not counted" [[            lost += @{ids != NULL}@ ? 1u : 0u;]] [[0]])

# ---- the board game

mutants_of(src/common/core/frame.c "unit\\.framer")
mutant("a length of four bytes counts only two" [[    const uint32_t known = @{bytes < RS_FRAMER_U32_BYTES}@ ? bytes : RS_FRAMER_U32_BYTES;]] [[bytes < 2u || bytes == 3u]])
mutant("a length below its own four bytes is taken" [[    if (length > bytes_max || @{(known == RS_FRAMER_U32_BYTES && length < RS_FRAMER_U32_BYTES)}@) {]] [[0]])
mutant("a line longer than a frame waits for its end" [[        return @{bytes < bytes_max}@ ? RS_FRAMER_MORE]] [[1]])
mutant("a line end behind the longest frame counts" [[memchr(data, '\n', @{bytes < bytes_max ? bytes : bytes_max}@);]] [[bytes]])

mutants_of(src/common/core/proxy_header.c "unit\\.proxy_header|fuzz\\.proxy")
mutant("a field may be empty" [[    return @{bytes > 0}@;]] [[1]])
mutant("a zero ends an address" [[        if (@{rest->at[bytes] == 0}@ ||]] [[0]])
mutant("an address of the other family is taken" [[           @{(strchr(text, ':') != NULL) == v6}@ &&]] [[1]])
mutant("an address may name an interface" [[ && @{strchr(text, '%') == NULL}@ &&]] [[1]])
mutant("a port may begin with a zero" [[ && @{(text[0] != '0' || digits == 1u)}@;]] [[1]])
mutant("a port is cut to 16 bits" [[ && @{port <= UINT16_MAX}@ &&]] [[1]])
mutant("what begins with UNKNOWN is UNKNOWN" [[        return @{rest.at == rest.end || *rest.at == ' '}@;]] [[1]])
mutant("something may follow the last port" [[           @{rest.at == rest.end}@;]] [[1]])
mutant("the line may be one byte longer" [[    if (@{end + 1u >= RS_PROXY_V1_BYTES_MAX}@ ||]] [[end >= RS_PROXY_V1_BYTES_MAX]])
mutant("a bare line feed is waited behind" [[ || @{(end < most && data[end] == '\n')}@) {]] [[0]])
mutant("a carriage return ends the line" [[    return @{data[end + 1u] == '\n'}@ && line_parse]] [[1]])
mutant("any version of the binary header is taken" [[    if (@{(version != 0x20u && version != 0x21u)}@ ||]] [[0]])
mutant("addresses of a health check are read" [[    addr_bytes = @{local ? 0 : v2_addr_bytes(family, protocol)}@;]] [[v2_addr_bytes(family & 3u, protocol)]])
mutant("addresses longer than the header are read" [[    if (@{length < addr_bytes}@ ||]] [[0]])
mutant("a header longer than a slice is waited for" [[ || @{V2_BYTES + length > bytes_max}@) {]] [[0]])
mutant("what is behind the addresses is the stream's" [[    out->bytes = @{V2_BYTES + length}@;]] [[V2_BYTES + addr_bytes]])
mutant("the peer's port is read where ours is" [[        out->ends.peer = v4_at(at, @{at + 8}@);]] [[at + 10]])

mutants_of(src/common/core/address.c "unit\\.address$|unit\\.address_limit")
mutant("an IPv4 peer of a socket of both families has an IPv6 address" [[    if (@{memcmp(ip6, mapped, sizeof mapped) == 0}@) {]] [[0]])
mutant("two gaps are read as one" [[ || @{groups->gap <= GROUPS}@) {]] [[0]])
mutant("an address of the same text and another interface is equal" [[ && @{a->scope == b->scope}@ &&]] [[1]])
mutant("the second address of a name is taken" [[    if (@{first}@ || (chosen->family]] [[1]])

mutants_of(src/common/core/app_timers.c "unit\\.app_timers|unit\\.shard")
mutant("a handle of another shard is ours" [[    if (@{rs_session_id_shard(timer) != table->shard}@ ||]] [[0]])
mutant("a timer that was replaced is still reached" [[        @{entry->generation != rs_session_id_generation(timer)}@) {
        return false;]] [[0]])
mutant("a timer leaves the next one pointing at it" [[        @{table->entries[entry->next].prev = entry->prev;}@]] [[;]])
mutant("a handle comes back with its entry" [[    entry->generation = entry->generation == UINT32_MAX ? 1 : @{entry->generation + 1}@;]] [[entry->generation]])
mutant("a timer may fire a millisecond early" [[@{(due_ns + NS_PER_MS - 1u)}@ / NS_PER_MS);]] [[due_ns]])
mutant("a cancel reaches the one that follows" [[    if (@{wheel->generations[index] == rs_session_id_generation(timer)}@) {]] [[1]])

mutants_of(src/common/server/address_limit.c "unit\\.address_limit|unit\\.shard")
mutant("every address of an IPv6 network counts by itself" [[        key.low = @{0}@;]] [[limit_half(peer->ip6 + 8)]])
mutant("neighbours on one link count together" [[            @{key.low = limit_half(peer->ip6 + 8);}@]] [[;]])
mutant("one connection more than allowed" [[ else if (@{rs_atomic_load_u32(&limit->at[at].count) >= limit->max}@) {]] [[rs_atomic_load_u32(&limit->at[at].count) > limit->max]])
mutant("an address whose last connection ended keeps its entry" [[        if (@{rs_atomic_load_u32(&entry->count) == 0}@) {]] [[0]])
mutant("those whose address is unknown count as one" [[    if (@{rs_addr_is_any(peer)}@) {]] [[0]])

mutants_of(src/common/server/connects.c "unit\\.connects|conf\\.epoll")
mutant("a connection is tried once more than asked" [[        pending->to.retries = @{left - 1u}@;]] [[left]])
mutant("the next attempt does not wait" [[        pending->due_ns = @{connects_in_ms(connects, pending->to.retry_ms)}@;]] [[0]])
mutant("an attempt has no time limit" [[    pending->due_ns = @{connects_in_ms(connects, pending->to.timeout_ms)}@;]] [[UINT64_MAX]])
mutant("an attempt that is refused keeps its place" [[        @{rs_sessions_unreserve(connects->sessions, pending->conn);}@]] [[;]])
mutant("what was given up is told as closed" [[        connects_failed(connects, pending, @{(rs_status)pending->why}@);]] [[(rs_status)completion->status]])
mutant("a failed attempt does not close its socket" [[        @{connects_close(connects, pending);}@
        connects_failed]] [[;]])
mutant("a stop leaves those that wait" [[        } else if (@{pending->state == RS_CONNECT_WAITING}@) {
            connects_failed(connects, pending, RS_E_CLOSED);]] [[0]])
mutant("the stopped server opens one more" [[    const uint32_t left = @{connects->stopped ? 0 : pending->to.retries}@;]] [[pending->to.retries]])
mutant("the time of an attempt under way wakes nobody" [[        if ((@{pending->state == RS_CONNECT_TRYING}@ || pending->state]] [[0]])

mutants_of(src/common/core/session.c "unit\\.session$|unit\\.framer|unit\\.shard|sim\\.seeds")
mutant("a framer's frame may be longer than allowed" [[        if (@{need > bytes_max}@ || (bytes == RS_FRAMER_MORE]] [[0]])
mutant("a full slice without a frame waits for more" [[ || @{(bytes == RS_FRAMER_MORE && session->held >= bytes_max)}@) {]] [[0]])
mutant("a framed message does not end the handshake" [[        session->held -= bytes;
        @{session->last_frame_ms = table->now_ms;}@]] [[;]])
mutant("the header counts as the stream's bytes" [[    @{session->bytes_in -= header.bytes;}@]] [[;]])
mutant("the time of the header counts as silence" [[        session_empty_slice(session);
    }
    @{session_restart(session);}@]] [[;]])
mutant("the balancer is the peer" [[    cold->ends = @{header.given}@ ? header.ends : cold->ends;]] [[0]])
mutant("what follows the header is delivered at once" [[    if (@{session->held > 0 && session->state == RS_SESSION_OPEN}@) {
        session->state = RS_SESSION_PAUSED;]] [[0]])
mutant("what came in our absence counts at once" [[        rate->frames = @{-sessions_missed(table, rate->start_ms)}@;]] [[0]])
mutant("silence before an absence counts with it" [[    from_ms = @{from_ms > start_ms ? from_ms : start_ms}@;]] [[start_ms]])
mutant("an absence is remembered for ever" [[ || @{table->now_ms - to_ms >= 1000u}@) {]] [[0]])
mutant("two absences are the last" [[    if (@{table->now_ns - table->back_ns >= RS_AWAY_NS}@) {]] [[1]])
mutant("a sleep is an absence" [[    bool counts = @{table->rates != NULL && table->open_count > 0}@;]] [[0]])
mutant("a second begins with the last one's frames" [[        @{rate->start_ms = table->now_ms;}@
    }]] [[;]])
mutant("one frame more in a second" [[    if (@{rate->frames >= (int64_t)table->cfg.rate_max}@) {]] [[rate->frames > (int64_t)table->cfg.rate_max]])
mutant("the first frame may come as late as idleness allows" [[    if (@{awaited && (patience_ms == 0 || patience_ms > cfg->handshake_ms)}@) {]] [[0]])
mutant("a pause resets what is awaited" [[ | (@{session->last_frame_ms & RS_AWAITED}@);]] [[0]])

mutants_of(src/common/apps/board.c "unit\\.board$|integration\\.board_server|integration\\.loadgen\\.board")
mutant("a newcomer sees who is out of view, and is seen" [[        if (@{!copy_sees(copy, other, player->x, player->y)}@) {
            continue;]] [[0]])
mutant("a newcomer is not told of those in view" [[        if (@{player->session != NULL}@) {
            frame = frame_of(other, RS_BOARD_ARRIVED);]] [[0]])
mutant("a leave is told to nobody" [[        if (@{other->session != NULL && copy_sees(copy, other, player->x, player->y)}@) {
            out_send(&left]] [[0]])
mutant("the id freed last is the first to be used again" [[    copy->free_ring[@{(copy->free_first + copy->free_count++) % own_count}@] =]] [[(copy->free_count++, copy->free_first = (copy->free_first + own_count - 1u) % own_count)]])
mutant("an id comes back with its generation" [[    @{player->generation = (uint16_t)(player->generation + 1u);}@]] [[;]])
mutant("generation 0 is handed out" [[    player->generation = player->generation == 0 ? @{1}@ :]] [[0]])
mutant("who goes out of view stays in it" [[        } else if (@{before}@) {
            copy_change(]] [[0]])
mutant("who comes into view is not told of" [[        } else if (@{after}@) {
            copy_change(]] [[0]])
mutant("a move is not told to who made it" [[    if (@{player->session != NULL}@) {
        out_send(&moved, player->session);]] [[0]])
mutant("moves are not counted" [[    frame.seq = @{++player->seq}@;]] [[player->seq]])
mutant("a leave is not told to the other shards" [[        @{copy_log(copy, &left);}@]] [[;]])
mutant("another shard's move is told to the shards again" [[    if (@{copy_owns(copy, player)}@) {
        copy_log(copy, &moved);]] [[1]])
mutant("who ended stays on the board" [[    while (copy->depth == 1 && @{copy->ended_count > 0}@) {]] [[0]])
mutant("who ends in the middle of a walk leaves the lists at once" [[    while (@{copy->depth == 1}@ &&]] [[1]])
mutant("a log-out that ended its session takes the player off twice" [[    if (@{seat->player != RS_BOARD_NONE}@) { /* that did not end it */]] [[1]])
mutant("frames of many seconds are a flood" [[    if (@{now_ns - seat->second_ns < BOARD_SECOND_NS}@) {]] [[1]])
mutant("one frame less than the rate is a flood" [[    if (rate == 0 || @{++seat->frames <= rate}@) {]] [[++seat->frames < rate]])
mutant("a player logs in twice" [[        return @{seat->player == RS_BOARD_NONE}@;]] [[true]])
mutant("a move goes to a full log" [[           @{!rs_board_log_has_room(&copy->log)}@;]] [[false]])
mutant("who waits for room in the log is read on" [[    @{rs_session_pause(seat->session);}@]] [[;]])
mutant("who waited is not read on" [[        @{rs_session_resume(seat->session);}@]] [[;]])
mutant("the last of those that wait is lost" [[        copy->wait_last = @{seat->before}@;]] [[RS_BOARD_NONE]])
mutant("who ends while waiting stays in line" [[    if (@{seat->waits}@) {
        seat_wait_no_more]] [[0]])
mutant("what could not be told is not tried again" [[    return @{!rs_board_log_tell(&copy->log, peers)}@ || copy->wait_first]] [[(rs_board_log_tell(&copy->log, peers), false)]])
mutant("another shard's session is lent the block" [[    if (out->lender != NULL && @{to->ops == out->lender->ops}@) {]] [[1]])
mutant("a block is lent and never given back" [[        @{rs_shared_release(out->lender, &out->shared);}@]] [[;]])
mutant("a second after the first allows one frame more" [[    @{seat->frames = 1;}@]] [[seat->frames = 0;]])
mutant("a rate of 0 lets nobody move" [[    RS_ASSERT(seat->session != NULL);
    if (@{rate == 0}@ ||]] [[0]])
mutant("who has not logged in moves" [[    case RS_BOARD_ASK:
        return @{seat->player != RS_BOARD_NONE}@;]] [[true]])
mutant("a client sends what servers send" [[    default:
        return @{false}@;
    }
}

static bool seat_must_wait]] [[true]])
mutant("a mover is told as another's viewer too" [[        if (@{other == player}@ || (other->session]] [[0]])
mutant("nobody is known by its id" [[    if (@{player != NULL}@) {
        rs_board_frame frame = frame_of(player, RS_BOARD_PLAYER);]] [[0]])
mutant("an index used again goes on with the moves of before" [[    @{player->seq = 0;}@]] [[;]])
mutant("an even view is taken" [[    if (@{cfg->settings.view % 2u == 0}@) {]] [[0]])
mutant("frames too short for the game are taken" [[    if (@{cfg->frame_bytes_max < RS_BOARD_FRAME_BYTES_MAX}@) {]] [[0]])
mutant("a full board says that the id is stale" [[        seat_refuse(seat, RS_BOARD_LOGIN, @{RS_BOARD_FULL}@);]] [[RS_BOARD_STALE]])
mutant("a log-in goes to a full log" [[(frame->type == RS_BOARD_MOVE || @{frame->type == RS_BOARD_LOGIN}@) &&]] [[0]])
mutant("those that wait are not looked at" [[    if (@{copy->wait_first != RS_BOARD_NONE}@) {
        copy_resume]] [[0]])
mutant("a shard has no seats for sessions that still close" [[    board->seats_shard = share + @{RS_CLOSING_SLACK(share)}@;]] [[0]])
mutant("who has gone is said to be out of view" [[    rs_board_frame frame = frame_left(player, @{RS_BOARD_GONE}@);
    rs_board_scan scan]] [[RS_BOARD_OUT_OF_VIEW]])
mutant("frames are always shared" [[    out->asked = @{!copy->board->settings.share}@;]] [[false]])
mutant("who waits behind one that ended does not know who is before it" [[        @{seats[seat->next].before = seat->before;}@]] [[;]])
mutant("departures have no reserve in the log" [[    uint32_t reserve = @{copy->board->own_count / (piece_bytes / BOARD_LEFT_BYTES) + 2u}@;]] [[1u]])
mutant("a block for many viewers is asked for again for each" [[        @{out->asked = true;}@
        if]] [[;]])

mutants_of(src/common/apps/board_log.c "unit\\.board$|integration\\.loadgen\\.board")
mutant("a piece takes one byte too many" [[    if (@{bytes > log->piece_bytes - log->used[place]}@) {]] [[bytes > log->piece_bytes - log->used[place] + 1u]])
mutant("a piece used again begins with what it held" [[        @{log->used[place] = 0;}@]] [[;]])
mutant("a piece that was told is told again" [[        @{told->at = log->used[place];}@
        if]] [[;]])
mutant("pieces start over while a shard has not been told" [[    if (@{all}@) {
        log_start_over]] [[1]])
mutant("the slowest shard keeps no piece" [[        first = @{log->told[shard].piece < first}@ ?]] [[0]])
mutant("a shard that has ended holds up the log" [[        if (bytes > 0 && @{peers->tell(peers->ctx, shard,
                                     log->memory + (size_t)place * log->piece_bytes + told->at,
                                     bytes) == RS_E_FULL}@) {]] [[peers->tell(peers->ctx, shard, log->memory + (size_t)place * log->piece_bytes + told->at, bytes) != RS_OK]])
mutant("the next piece is told from where the last one ended" [[        @{told->at = 0;}@
    }]] [[;]])
mutant("a piece begun again is told from where it ended" [[        @{log->told[shard].at = 0;}@]] [[;]])

mutants_of(src/common/apps/board_map.c "unit\\.board$|integration\\.loadgen\\.board")
mutant("a stale id is found" [[index < map->player_count && @{map->players[index].id == id}@]] [[map->players[index].id != 0]])
mutant("the neighbour keeps pointing at who left the sector" [[        @{map->players[player->next].before = player->before;}@]] [[;]])
mutant("the first of a sector does not know who came before it" [[        @{map->players[*first].before = index;}@]] [[;]])
mutant("sectors beyond are not looked at" [[    uint32_t most = (a < b ? b : a) + @{reach}@;]] [[0u]])
mutant("sectors before are not looked at" [[    *first = (least > reach ? @{least - reach}@ : 0u)]] [[least]])
mutant("id 0 is a player" [[    return @{id != 0}@ && index]] [[1]])
mutant("ids beyond the last player are looked up" [[ && @{index < map->player_count}@ &&]] [[1]])
mutant("a large board has as many sectors as it likes" [[    while (@{(uint64_t)map_sectors_along(width, shift) * map_sectors_along(height, shift) >
           MAP_SECTORS_MAX}@) {]] [[(uint64_t)map_sectors_along(width, shift) * map_sectors_along(height, shift) > 16u * MAP_SECTORS_MAX]])
mutant("a player stays in the sector where it began" [[    if (@{map_sector(map, x, y) == map_sector(map, player->x, player->y)}@) {]] [[1]])
mutant("sectors beyond the board are looked at" [[    *last = (@{most < cells}@ ? most :]] [[1]])

mutants_of(src/common/apps/board_wire.c "unit\\.board_wire|unit\\.board$")
mutant("a name may hold what no terminal shows" [[name[i] < 0x21u || @{name[i] > 0x7Eu}@) {]] [[0]])
mutant("a length that is not the frame's passes" [[ || @{get_u16(data) != bytes}@) {]] [[0]])
mutant("a payload too long passes" [[ && @{bytes - least <= more}@ &&]] [[bytes >= least]])
mutant("a ninth direction passes" [[        return @{out->direction < RS_BOARD_DIRECTIONS}@;]] [[true]])
mutant("the board has no western edge" [[    if (@{to_x >= 0}@ && to_x]] [[1]])
mutant("the board is one cell too high" [[to_y >= 0 && @{to_y < height}@) {]] [[to_y <= height]])
mutant("a name may be as long as it likes" [[    return bytes > 0 && @{bytes <= RS_BOARD_NAME_MAX}@;]] [[1]])
mutant("a move may be one byte longer" [[        *more = RS_BOARD_MOVE_BYTES_MAX - @{RS_BOARD_MOVE_BYTES}@;]] [[3u]])
mutant("what was read of a bad frame stays" [[    @{memset(out, 0, sizeof *out);}@
    out->type]] [[;]])
mutant("a frame shorter than its header is read" [[    if (@{bytes < RS_FRAME_HEADER_BYTES}@ ||]] [[0]])

# ---- epoll

mutants_of(src/epoll/epoll_driver.c "unit\\.epoll_backend|conf\\.epoll")
mutant("a full read is taken for a short one" [[        if (!conn->ended && @{(size_t)got < req->op.bytes}@) {]] [[1]])
mutant("the error that a send found is told as an end" [[        status = @{(rs_status)conn->error}@;
    } else if]] [[RS_OK]])
mutant("a partly sent slice starts again" [[        taken = send(conn->fd, req->op.u.data + @{req->done}@,]] [[0]])
mutant("a full socket buffer is not noticed" [[    if ((taken >= 0 && @{(size_t)taken < asked}@) ||]] [[0]])
mutant("unread input is not read off before the close" [[            @{epoll_discard_input(backend, conn);}@]] [[;]])
mutant("an abort is a plain close" [[            @{epoll_make_resetting(backend, conn->fd);}@]] [[;]])
mutant("a slot whose watch failed stays bound" [[        @{rs_engine_unbind(&backend->engine, index);}@]] [[;]])

mutants_of(src/epoll/epoll_accept.c "unit\\.epoll_backend|conf\\.epoll")
mutant("the reserve descriptor is not opened again" [[    @{epoll_reserve_open(backend);}@
    return fd >= 0;]] [[;]])
mutant("one accept more than there is room for" [[    while (more && @{backend->engine.accepts < backend->tuning.accepts}@) {]] [[backend->engine.accepts <= backend->tuning.accepts]])
mutant("all listeners have the first one's connections" [[    const rs_epoll_listener *listener = &backend->listeners[@{index}@];]] [[0]])
mutant("a pause of accepting has no end" [[        @{epoll_listeners_watch(backend, EPOLLIN);}@
        return timeout_ns;]] [[;]])

mutants_of(src/epoll/epoll_poll.c "unit\\.epoll_backend|conf\\.epoll")
mutant("a wake is seen once and for all" [[        @{(void)rs_atomic_exchange_u32(&backend->wake_pending, 0);}@]] [[;]])
mutant("an event of an older use is taken" [[        @{backend->engine.conns[index].generation != (uint32_t)(data >> 32)}@) {]] [[0]])
mutant("connections that never run dry starve the others" [[    if (idle || @{++backend->polls_without_wait >= EPOLL_POLLS_WITHOUT_WAIT}@) {]] [[0]])

# ---- Windows sockets and ports (preset mutate-windows)

mutants_of(src/common/win/win_accept.c "unit\\.win_accept|conf\\.iocp")
mutant("the end of a listener is told with accepts still posted" [[        return said + (@{source->posted == 0}@ ? accept_finish]] [[1]])
mutant("the accept thread takes on without bound" [[    return @{rs_atomic_load_u32(&source->notes) >= source->cfg.tuning->accepts}@;]] [[false]])
mutant("a full accept thread is not told of room" [[rs_atomic_add_u32(&source->notes, UINT32_MAX) == @{source->cfg.tuning->accepts}@) {]] [[0]])
mutant("a request joins others that wait, and is tried as well" [[uint32_t os_error = accept_post(source, request);
    rs_win_class class_of = accept_class(source, os_error);
    *ends_round = @{class_of == RS_WIN_RESOURCES}@;]] [[false]])
mutant("out of descriptors the listener is given up" [[               ? @{RS_WIN_RESOURCES}@
               : RS_WIN_FATAL;]] [[RS_WIN_FATAL]])
mutant("a listener of no more use is reported again and again" [[        return 0;
    }
    @{source->failed = true;}@]] [[;]])
mutant("connections are taken one by one while AcceptEx stand" [[    return source->takes && @{source->posted == 0}@ &&]] [[1]])
mutant("a busy server never takes what comes beyond its AcceptEx" [[(!is_idle && @{++set->waited < ACCEPT_WAITED_MAX}@)]] [[1]])
mutant("a burst has no end" [[        return @{accept_post_some(source, &source->later, accept_batch(source), out)}@;
    case RS_WIN_PEER:]] [[0]])
mutant("an accept that is asked back is told" [[    return @{status == RS_E_ABORTED && source->stopping}@ ? 0 : accept_say]] [[0]])

mutants_of(src/common/win/win_accept.c "chaos\\.iocp$")
mutant("an accept that failed for want of resources is never posted again" [[        @{accept_park(source);}@ /* if posted again]] [[;]])
mutant("a burst that failed for want of resources goes on at once" [[        @{accept_park(source);}@ /* the others follow it]] [[source->later++;]])
mutant("a knock that failed is not made again" [[    return @{source->stopping}@ && source->thread != NULL && source->knock]] [[0]])
mutant("a connection that died before it was ours is not told" [[? 0 : @{accept_say(out, status, INVALID_SOCKET)}@;]] [[0]])

mutants_of(src/common/win/win_alarm.c "unit\\.win_alarm")
mutant("an alarm that is set stays later than asked" [[    if (alarm->armed_ns != 0 && @{alarm->armed_ns <= due_ns}@) {]] [[1]])
mutant("an alarm that rang counts as set" [[    @{alarm->armed_ns = 0;}@]] [[;]])

# ---- I/O completion ports

mutants_of(src/iocp/iocp_driver.c "unit\\.iocp_backend|conf\\.iocp")
mutant("a zero-byte probe restarts a receive on a closing connection" [[        if (backend->conns[index].socket != INVALID_SOCKET &&
            @{!backend->engine.conns[index].recv_cancelled}@) {]] [[1]])
mutant("the packet of a success at once is waited for" [[ || (succeeded && @{!backend->skip}@);]] [[1]])
mutant("a reset is an end of stream" [[    if (status == RS_OK && @{bytes == 0}@) {
        status = iocp_end_status]] [[0]])
mutant("a connection is listed for its receive twice" [[    if (@{conn->recv_listed}@) {
        return; /* another of]] [[0]])
mutant("receives with data at hand keep the port from its turn" [[           @{backend->inline_since < backend->own.inline_max}@) {]] [[1]])
mutant("what came without the port is not counted" [[    @{backend->inline_since += called;}@]] [[;]])
mutant("a gather begins with another send" [[rs_engine_send_behind(&backend->engine, index, action->at, @{i}@)];]] [[action->count - 1u - i]])
mutant("a close does not ask its receive back" [[            @{(void)CancelIoEx((HANDLE)conn->socket, &backend->requests[at].overlapped);}@]] [[;]])
mutant("unread input is not read off before the close" [[        @{rs_win_socket_discard(conn->socket, backend->discard, &backend->calls);}@]] [[;]])
mutant("an abort is a plain close" [[    @{rs_win_socket_abort(socket, &backend->calls);}@]] [[rs_win_socket_close(socket, &backend->calls);]])
mutant("an abort leaves a pending send to itself" [[        @{(void)CancelIoEx((HANDLE)socket, NULL);}@]] [[;]])
mutant("our stream does not end before the receive is asked back" [[    if (@{!conn->shutdown_done}@) {
        (void)iocp_end_stream(backend, index);
    }
    RS_ASSERT(backend->engine.conns[index].sends_posted == 0);]] [[0]])
mutant("a receive behind a connect has no turn" [[    if (@{rs_engine_wants(&backend->engine, index, RS_ENGINE_RECV)}@) {]] [[0]])

mutants_of(src/iocp/iocp_driver.c "chaos\\.iocp$")
mutant("a send whose packet says that it failed went well" [[    case RS_IOCP_SEND:
        @{iocp_finished(backend, index, at, status, bytes, false);}@]] [[iocp_finished(backend, index, at, RS_OK, bytes, false);]])

mutants_of(src/iocp/iocp_poll.c "unit\\.iocp_backend|conf\\.iocp")
mutant("a wake is seen once and for all" [[    @{(void)rs_wake_take(&backend->wake);}@]] [[;]])
mutant("sleeps over a wake" [[timeout_ns > 0 && @{rs_wake_may_sleep(&backend->wake)}@;]] [[(rs_wake_may_sleep(&backend->wake), 1)]])
mutant("a failed request is a failed port" [[    if (!succeeded && @{overlapped == NULL}@) {]] [[1]])
mutant("connections that never run dry starve the others" [[    if (@{backend->inline_since >= backend->own.inline_max}@ &&]] [[0]])
mutant("sleeps over receives that were not posted" [[    iocp_wait_port(backend, @{backend->recv_count == 0 ? timeout_ns : 0}@);]] [[timeout_ns]])

# ---- RIO, what it decides

mutants_of(src/rio/rio_ledger.c "unit\\.conn_engine|unit\\.rio_ledger|fuzz")
mutant("no slack for closing connections" [[    return rs_engine_reqs(@{conns_max + RS_RIO_CLOSING_SLACK(conns_max)}@, recvs_per_conn,]] [[conns_max]])
mutant("a completion of an older use is taken" [[           @{engine->conns[index].generation == (uint32_t)(result->socket_context >> 32)}@ &&]] [[1]])
mutant("a completion of an older request is taken" [[           @{ledger->stamps[at] == (uint32_t)(result->request_context >> 32)}@ &&]] [[1]])
mutant("more bytes than asked are taken" [[           @{result->bytes <= engine->reqs[at].op.bytes}@;]] [[1]])
mutant("no commit for receives" [[    ledger->dirs[conn] |= (uint8_t)(@{dir}@ | LEDGER_LISTED);]] [[RS_ENGINE_SEND]])
mutant("a connection is listed for its commit twice" [[    if (@{!listed}@) {]] [[1]])
mutant("the commit before closesocket takes nothing" [[    uint32_t dirs = @{ledger->dirs[conn] & RS_ENGINE_BOTH}@;]] [[0u]])

mutants_of(src/rio/rio_wait.c "unit\\.rio_wait|interleave")
mutant("no second look after arming" [[    case RS_RIO_STEP_ARM: /* a completion from before the arming would not fire it in time */
        return @{RS_RIO_STEP_DEQUEUE}@;]] [[RS_RIO_STEP_SLEEP]])
mutant("the port is never looked at while data keep coming" [[    if (@{++waiter->busy_polls < RS_RIO_BUSY_POLLS_MAX}@) {]] [[1]])
mutant("sleeps without having armed" [[    if (@{!waiter->armed}@ && !waiter->wakes_itself) {]] [[0]])
mutant("a spurious wake-up sleeps again" [[    if (@{waiter->slept}@) {
        return RS_RIO_STEP_RETURN; /* a spurious]] [[0]])
mutant("the spin has no end" [[    if (waiter->spinning && @{now_ns - waiter->start_ns >= waiter->spin_ns}@) {]] [[0]])
mutant("a spin that missed is tried again at once" [[    waiter->backoff_left = @{waiter->backoff}@;]] [[0]])
mutant("a spin that found something does not end the back-off" [[    waiter->spins_found++;
    waiter->backoff = @{0}@;]] [[waiter->backoff]])
mutant("the back-off has no end" [[    waiter->backoff = @{next < waiter->backoff_max ? next : waiter->backoff_max}@;]] [[next]])
mutant("what a sleep found counts as found by the spin" [[        if (@{waiter->spinning}@) {
            wait_spin_found]] [[waiter->idle]])

# ---- RIO, what carries it out

mutants_of(src/rio/rio_driver.c "unit\\.rio_port|conf\\.rio(_event|_poll)?$|chaos\\.rio$")
mutant("a request goes beyond the end of its region" [[region->base != NULL && offset <= region->bytes && @{op->bytes <= region->bytes - offset}@;]] [[op->bytes <= region->bytes]])
mutant("a slice's place in its region is lost" [[        .Offset = (ULONG)(@{(uint64_t)(op->u.data - region->base)}@ - piece.start),]] [[piece.start]])
mutant("a slice's place in its registration is lost" [[ - @{piece.start}@),
        .Length]] [[0]])
mutant("a request's registration is never given back" [[        @{backend->api.fn.RIODeregisterBuffer(slot->own);}@]] [[;]])
mutant("a region that ends stays registered" [[        @{backend->api.fn.RIODeregisterBuffer(region->ids[i]);}@]] [[;]])
mutant("sends are committed as receives" [[    if (@{dir == RS_ENGINE_RECV}@) {]] [[1]])
mutant("one direction is committed" [[    for (uint32_t i = 0; @{i < 2}@; i++) {]] [[i < 1]])
mutant("no commit before closesocket" [[    @{rio_commit(backend, conn, rs_rio_ledger_take_touched(&backend->ledger, conn));}@]] [[(void)rs_rio_ledger_take_touched(&backend->ledger, conn);]])
mutant("an abort is a plain close" [[    if (io->socket != INVALID_SOCKET && @{abort_it}@) {]] [[0]])
mutant("no shutdown before a close that cancels" [[    if (@{backend->engine.conns[conn].recvs_posted > 0}@) {]] [[0]])
mutant("unread input is not read off before the close" [[        @{rs_win_socket_discard(socket, backend->discard, &backend->calls);}@]] [[;]])
mutant("the provider does not see the close" [[    if (@{io->rq == RIO_INVALID_RQ}@) {
        rs_win_socket_close]] [[1]])
mutant("a failed connect is a connection" [[    rs_engine_connected(&backend->engine, conn, @{status}@);]] [[RS_OK]])
mutant("a socket that could not be attached keeps its slot" [[        @{rs_engine_unbind(&backend->engine, conn);}@]] [[;]])

mutants_of(src/rio/rio_driver.c "chaos\\.rio$")
mutant("a commit that failed is let be" [[            @{rs_engine_broken(&backend->engine, conn, rio_failure());}@]] [[;]])
mutant("a refused request keeps its registration" [[            status = rio_failure();
            @{rs_rio_request_over(backend, req);}@]] [[;]])

mutants_of(src/rio/rio_poll.c "chaos\\.rio$")
mutant("a RIORESULT that failed went well" [[        .status = @{rs_win_error_status((uint32_t)from->Status)}@,]] [[RS_OK]])

mutants_of(src/rio/rio_poll.c "unit\\.rio_port|conf\\.rio(_event|_notify|_poll)?$")
mutant("sleeps over packets that the event no longer shows" [[    if (by_event && @{!rio_port_clean(backend)}@) {]] [[(rio_port_clean(backend), 0)]])
mutant("an event of the port is not read" [[    } else if (rc == WAIT_OBJECT_0 + 1u) {
        @{backend->port_dirty = true;}@]] [[;]])
mutant("a connect in between clears the event for good" [[    case RS_RIO_KEY_ACCEPT:
        @{backend->port_dirty = true;}@]] [[;]])
mutant("sleeps over a wake" [[    if (@{!rs_wake_may_sleep(&backend->wake)}@) {]] [[(rs_wake_may_sleep(&backend->wake), 0)]])
mutant("a wake that was seen stays" [[    if (rs_wake_is_pending(&backend->wake)) {
        @{(void)rs_wake_take(&backend->wake);}@]] [[;]])
mutant("a notification leaves the queue armed" [[    @{rs_rio_wait_fired(&backend->waiter);}@]] [[;]])
mutant("what a completion lets start is not committed" [[    if (@{count > 0}@) {
        rs_rio_commit_all]] [[0]]
    EQUIVALENT "over RIO sends and receives are posted when they are submitted or the connect is through; a completion lets a shutdown or a close start")
mutant("what a connect lets start is not committed" [[    @{rs_rio_commit_all(backend);}@ /* connects]] [[;]])
mutant("the clock stands still while polling" [[    return now_ns == 0 || @{backend->waiter.mode != RS_RIO_WAIT_NOTIFY}@;]] [[0]])
mutant("a time-out rounds down" [[ / RS_RIO_NS_PER_MS + (@{sleep_ns % RS_RIO_NS_PER_MS != 0}@);]] [[0]]
    EQUIVALENT "poll may return early")

# ---- the load generator

mutants_of(bench/loadgen/loadgen_client.c "unit\\.loadgen_client|integration\\.loadgen")
mutant("corrected latency from the actual send: coordinated omission" [[        latency_ns = client_since(@{client_intended_ns(load, connection, base, sequence)}@, now_ns);]] [[sent_ns]])
mutant("a failed connection has a further life" [[    (*column)++;
    @{client->dead = true;}@]] [[;]])
mutant("a lost reply of ours counts as lost" [[        rs_track_end(&client->track, @{we_broke_it}@, &load->columns);]] [[false]])
mutant("replies of another size pass" [[    } else if (@{bytes != rs_payload_reply_bytes(&load->payload, client->index, sequence)}@) {]] [[0]])
mutant("a batch of equal latencies counts once" [[rs_histogram_record_n(&load->uncorrected, load->batch_ns, @{load->batch_n}@);]] [[load->batch_n > 0]])
mutant("the first reply counts for every reply" [[        @{client->replied = true;}@]] [[;]])
mutant("replies before the measurement count" [[    if (@{load->recording}@) {]] [[1]])
mutant("the window is one deeper than asked" [[    room = @{load->settings->depth - client->track.outstanding}@;]] [[load->settings->depth + 1u - client->track.outstanding]])
mutant("the plan does not limit an open loop" [[        room = client_min(room, @{client->due}@);]] [[UINT64_MAX]])
mutant("a truncated send passes" [[    } else if (@{completion->bytes != completion->tag}@) {]] [[0]])
mutant("an answered slow reader that is dropped is a failure" [[    if (@{client->role == RS_ROLE_SLOW && client->answered}@ && !client->last) {]] [[0]])
mutant("what no receipt proves is measured" [[    if (@{!receipt.is_right}@) {
        return;]] [[0]])
mutant("a half-close leaves pushes unproven" [[        if (@{load->push != NULL && load->push[client->index].unasked.frames > 0}@) {]] [[0]])
mutant("a user does not think" [[    if (@{now_ns < client->think_until_ns}@) {]] [[0]])
mutant("a connection does not wait for its turn" [[    if (@{load->connect_permits == 0}@) {]] [[0]])
mutant("data that nobody asked for pass" [[    } else if (@{client->send_base == NULL}@) {
        client_fail]] [[0]])
mutant("a reset comes before the requests are with the kernel" [[        if (@{client->sends_in_flight == 0}@) { /* they]] [[1]])

mutants_of(bench/loadgen/loadgen_track.c "unit\\.loadgen_track|unit\\.loadgen_client")
mutant("a wrong reply settles nothing" [[    track_settle(track, track->expected, columns);
    @{track->expected++;}@]] [[;]])
mutant("an overtaken request is forgotten" [[    @{track->skipped += (uint32_t)(sequence - track->expected);}@]] [[;]])
mutant("a second reply counts as an early one" [[    if (@{sent_ns == 0}@) {
        columns->duplicated++;]] [[0]])
mutant("a lost request is never given up" [[    return @{now_ns > due_ns && now_ns - due_ns >= timeout_ns}@;]] [[false]])
mutant("a reply to a request that was never sent passes" [[    if (verdict == RS_PAYLOAD_WRONG || @{*sequence >= track->next}@) {]] [[0]])
mutant("what a short receipt leaves counts as proven" [[    *(@{is_right}@ ? &columns->ok]] [[1]])
mutant("the ring is as short as the window" [[    while (ring < @{2u * depth}@) {]] [[depth]])

mutants_of(bench/loadgen/loadgen_bots.c "unit\\.loadgen_bots")
mutant("a position that is wrong passes" [[    if (@{frame->x != move->x || frame->y != move->y}@ || !bots_sees]] [[0]])
mutant("a move that is out of view passes" [[ || @{!bots_sees(bots, self, move->x, move->y)}@) {
        bots->columns.wrong++;]] [[0]])
mutant("a move that was never made passes" [[    if (@{seq > bot->sent}@) {]] [[0]])
mutant("what the referee forgot is taken for right" [[    if (@{bot->sent - seq >= bots->ring}@) {]] [[0]])
mutant("skipped moves are forgiven" [[        columns->lost += @{lost}@;
        return true;]] [[0]])
mutant("an arrival twice passes" [[    if (@{rs_sight_find(&self->sight, frame->id) != NULL}@) {
        bots->columns.duplicated++;]] [[0]])
mutant("who left is expected for ever" [[    return bot->welcomed && @{!bot->left}@;]] [[true]])
mutant("who should be in view at the end is not counted" [[    *lost += @{bots_in_view(bots, self) - right}@;]] [[0]])
mutant("players of the neighbouring cells are not seen" [[x <= cell_x + @{1u}@; x++]] [[0u]])
mutant("a name that only begins like ours is ours" [[    return @{strcmp(again, frame->name) == 0}@ ?]] [[true]])
mutants_of(bench/loadgen/loadgen_sight.c "unit\\.loadgen_bots")
mutant("a removal leaves a gap that ends the search" [[        if (@{((at - sight_home(sight, sight->entry[at].id)) & mask) >= ((at - hole) & mask)}@) {]] [[0]])
mutant("a late move counts as a duplicate" [[    if (@{(entry->missing & bit) == 0}@) {]] [[1]])
mutant("the table fills up" [[    if (@{2u * (sight->count + 1u) > sight->size}@) {]] [[sight->size == 0]])

mutants_of(bench/loadgen/loadgen_plan.c "unit\\.loadgen_plan|unit\\.loadgen_client")
mutant("the first message is due a period late" [[passed_ns % PLAN_NS_PER_S * plan->rate / PLAN_NS_PER_S + @{1u}@;]] [[0u]])
mutant("intended times drift by the seconds" [[    return plan->start_ns + @{seconds * PLAN_NS_PER_S}@ +]] [[0]])
mutant("all connections send at once" [[    return @{sequence * plan->connections + connection}@;]] [[sequence * plan->connections]])
mutant("roles are given by number and not by share" [[    place = (uint32_t)(@{(uint64_t)connection * 100u / connections}@);]] [[connection]])
mutant("every life is equally long" [[    return 1u + (uint32_t)(@{(h >> 32) % (2u * mean - 1u)}@);]] [[mean - 1u]])

mutants_of(bench/loadgen/loadgen_payload.c "unit\\.loadgen_payload|unit\\.loadgen_client")
mutant("only the identity is compared" [[           @{memcmp(data + sizeof head, pattern, bytes - sizeof head) == 0}@;]] [[true]])
mutant("a short frame is not looked at" [[               @{memcmp(data + RS_FRAME_HEADER_BYTES, pattern, bytes - RS_FRAME_HEADER_BYTES) == 0}@;]] [[true]])
mutant("a reply of another size passes" [[    if (@{bytes != rs_payload_request_bytes(payload, connection, sequence)}@) {]] [[bytes < RS_FRAME_HEADER_BYTES]])
mutant("only the digest of a sized reply is compared" [[           memcmp(data, payload->reply, @{bytes}@) == 0;]] [[RS_ASKED_HEAD_BYTES]])
mutant("the pattern does not depend on the connection" [[    h = (@{h ^ (h >> 32) ^ connection}@) *]] [[h ^ (h >> 32)]])
mutant("the identity is cut to 32 bits" [[    memcpy(out + sizeof connection, &sequence, @{sizeof sequence}@);]] [[4]])

mutants_of(bench/loadgen/loadgen_sizes.c "unit\\.loadgen_payload|unit\\.loadgen_settings")
mutant("the longest size of a range is never drawn" [[(@{sizes->part[i].most - sizes->part[i].least + 1u}@);]] [[sizes->part[i].most - sizes->part[i].least + (sizes->part[i].most == sizes->part[i].least)]])
mutant("a weight is not counted" [[    sizes->weights += @{share}@;]] [[1]])
mutant("a range may end below its start" [[    if (@{most < least}@) {]] [[0]])

mutants_of(bench/loadgen/loadgen_alarms.c "unit\\.loadgen_alarms")
mutant("the later of two alarms comes first" [[ && @{alarms->heap[child + 1u].at_ns < alarms->heap[child].at_ns}@;]] [[alarms->heap[child + 1u].at_ns > alarms->heap[child].at_ns]])
mutant("an alarm rings before its time" [[    if (@{rs_alarms_next_ns(alarms) > now_ns}@ ||]] [[0]])

mutants_of(src/common/apps/asked_wire.c "unit\\.loadgen_payload|unit\\.loadgen_push|integration\\.server")
mutant("the digest leaves out the last bytes" [[asked_load(body + at, @{bytes - at}@));]] [[0]])
mutant("a reply shorter than its head is made" [[    return @{asked >= RS_ASKED_HEAD_BYTES}@ ? asked : 0;]] [[asked > 3u]])
mutant("a receipt does not depend on the frames before the last" [[        asked_mix(@{sum >> RS_SUM_FRAMES_BITS}@, rs_asked_digest]] [[0]])
mutant("a receipt counts nothing" [[((rs_sum_frames(sum) + @{1u}@) &]] [[0u]])
mutant("another frame passes for a receipt" [[        @{rs_frame_type(data) != RS_RECEIPT_TYPE}@) {]] [[0]])

mutants_of(src/common/apps/echo.c "integration\\.loadgen\\.push")
mutant("a receipt is of the whole connection" [[(session, @{receipt ? 0 : sum}@); /* this]] [[sum]])

mutants_of(bench/loadgen/loadgen_push.c "unit\\.loadgen_push|unit\\.loadgen_client")
mutant("a receipt is asked for only when none is under way" [[(push->count == 0 || @{rs_push_is_half(push, depth)}@);]] [[0]])
mutant("the last messages wait for a full half" [[ && (@{push->count == 0}@ ||]] [[0]])
mutant("a receipt of fewer counts as a damaged one" [[    if (out->is_receipt && @{rs_sum_frames(got) < rs_sum_frames(due.sum)}@) {]] [[0]])
mutant("the digest is not compared" [[ && (sum ? @{got == due.sum}@ :]] [[rs_sum_frames(got) == rs_sum_frames(due.sum)]])
mutant("a receipt stands for the one after it too" [[    @{push->count--;}@]] [[;]])

mutants_of(bench/loadgen/loadgen_report.c "unit\\.loadgen_report")
mutant("CPU of a message without kernel time" [[ report_per_message(run, before->user_ns + before->kernel_ns,
                                                      @{after->user_ns + after->kernel_ns}@)]] [[after->user_ns + before->kernel_ns]])
mutant("own share without kernel time" [[               ? (double)(@{after->user_ns + after->kernel_ns - before->user_ns - before->kernel_ns}@) /]] [[after->user_ns - before->user_ns]])

# ---- the notes

mutants_of(bench/notes/note.c "unit\\.notes")
mutant("an interval above 1 is no difference" [[note_say(@{ratio->low > 1}@ ? NOTE_HOLDS]] [[ratio->low > 2]])
mutant("one measured pair decides" [[    if (@{ratio->count < RS_STATS_PAIRS_MIN}@) {]] [[ratio->count == 0]])
mutant("what failed is judged" [[    if (@{self->failed[0] != '\0'}@) {
        return note_say(NOTE_CANNOT_TELL]] [[0]])
mutant("the last failure hides the first" [[    if (@{self->failed[0] == '\0'}@) {]] [[1]])
mutant("a sum forgets what was before" [[        return @{so_far + value}@;]] [[value]])
mutant("the least is the most" [[@{(merge == NOTE_MOST) == (value > so_far)}@]] [[value > so_far]])
mutant("NAN is a sample" [[    if (@{!rs_is_known(value)}@) {]] [[0]])
mutant("p99 of samples that are not sorted" [[        @{note_sort(sorted, samples->count);}@]] [[;]])

mutants_of(bench/notes/notes_run.c "unit\\.notes")
mutant("a run that does not end is waited for no longer and counts" [[        if (@{!ended}@) {]] [[0]])
mutant("a run that failed is repeated" [[ && @{state->note.failed[0] == '\0'}@; i++]] [[1]])
mutant("one repeat too few" [[    for (uint32_t i = 0; @{i < repeats}@]] [[i + 1 < repeats]])

mutants_of(bench/notes/notes_report.c "unit\\.notes")
mutant("the table takes the first result for every statement" [[        if (@{strcmp(text, id) == 0}@) {]] [[1]])
mutant("words are not escaped" [[            @{rs_compare_text_markdown(text, words);}@
            rs_compare_text_raw]] [[rs_compare_text_raw(text, words);]])

# Their rules: what is seen, and the verdict.

mutants_of(bench/notes/a1_backlog_completes_connections.c "unit\\.notes")
mutant("bytes that got lost are overlooked" [[    if (seen[SENT].value < 1 || @{seen[RECEIVED].value != seen[SENT].value}@) {]] [[0]])

mutants_of(bench/notes/a2_full_backlog_refuses.c "unit\\.notes")
mutant("one refusal of four is all" [[@{seen[REFUSED].value == LISTENERS}@ ? NOTE_HOLDS]] [[seen[REFUSED].value > 0]])

mutants_of(bench/notes/a3_backlog_hint_ends_early.c "unit\\.notes")
mutant("a full queue is taken for the client's end" [[    if (@{end == BY_QUEUE}@) {]] [[0]])
mutant("more addresses need not reach further" [[    if (@{all < one * 1.2}@) {]] [[0]])

mutants_of(bench/notes/a5_accept_has_no_routine.c "unit\\.notes")
mutant("AcceptEx need not complete by event" [[    if (@{seen[BY_EVENT].value == 0}@ || seen]] [[0]])

mutants_of(bench/notes/a6_silent_client_holds_acceptex.c "unit\\.notes")
mutant("nobody served at all decides" [[    if (@{seen[SERVED_AT_ONCE].value == 0}@) {]] [[0]])

mutants_of(bench/notes/a7_workers_before_accept.c "unit\\.notes")
mutant("wrong bytes are no loss" [[ || @{seen[RIGHT_BYTES].value < CONNECTIONS}@) {]] [[0]])

mutants_of(bench/notes/b1_recv_returns_what_is_there.c "unit\\.notes")
mutant("late is at once" [[ || @{seen[AT_ONCE_US].value > LATE_MS * 500.0}@) {]] [[0]])

mutants_of(bench/notes/b3_send_blocks_without_room.c "unit\\.notes")
mutant("a part is all of it" [[    if (@{seen[BLOCKING_TOOK].value < ASKED}@) {]] [[0]])

mutants_of(bench/notes/b4_buffer_sizes_asked_and_used.c "unit\\.notes")
mutant("one size that is used as set is enough" [[@{used < SIZES}@   ? NOTE_HOLDS]] [[used < 1]])

mutants_of(bench/notes/b5_no_send_buffer.c "unit\\.notes")
mutant("a byte that pends anyway is no exception" [[    if (@{plain[0].value > 0}@ ||]] [[0]])

mutants_of(bench/notes/b6_asking_every_socket.c "unit\\.notes")
mutant("4,096 sockets do not count" [[ && (@{!all}@ || seen]] [[1]])
mutant("twice the time is growth" [[    const bool grows = @{seen[GROWTH].value >= 8}@]] [[seen[GROWTH].value >= 1]])

mutants_of(bench/notes/b7_b8_in_the_call_or_later.c "unit\\.notes")
mutant("a packet despite skip-on-success is as documented" [[                               @{packet[2].value == 0}@ &&]] [[1]])

mutants_of(bench/notes/b9_offset_means_nothing.c "unit\\.notes")
mutant("bytes out of place are overlooked" [[ || @{seen[WRONG].value > 0}@) {]] [[0]])

mutants_of(bench/notes/b10_sends_complete_in_order.c "unit\\.notes")
mutant("a send cut short is overlooked" [[    if (@{seen[CUT_SHORT].value > 0}@ ||]] [[0]])

mutants_of(bench/notes/b11_more_than_the_room.c "unit\\.notes")
mutant("taken before the peer reads is pending" [[ || @{seen[BEFORE_READ].value > 0}@) {]] [[0]])

mutants_of(bench/notes/b12_short_sends.c "unit\\.notes")
mutant("no cut at all decides" [[    if (@{failed < 1}@) {]] [[0]])

mutants_of(bench/notes/b13_sends_of_many_threads.c "unit\\.notes")
mutant("long records that mix are overlooked" [[    if (@{seen[LARGE_BROKEN].value > 0}@) {]] [[0]])

mutants_of(bench/notes/b14_receives_of_many_workers.c "unit\\.notes")
mutant("none out of order decides" [[    if (@{seen[SWAPPED_4_4].value == 0}@) {]] [[0]])

mutants_of(bench/notes/b15_one_overlapped_twice.c "unit\\.notes")
mutant("a crash is no verdict" [[    if (@{seen[ENDING].value < 0}@) {]] [[0]])

mutants_of(bench/notes/b16_messages_split_and_joined.c "unit\\.notes")
mutant("never joined is joined" [[ || @{seen[JOINED].value == 0}@) {]] [[0]])

mutants_of(bench/notes/b17_size_of_a_move.c "unit\\.notes")
mutant("no difference in time says nothing of the wire" [[        @{verdict.kind = NOTE_IN_PART;}@ /* of]] [[;]])

mutants_of(bench/notes/c1_select_each_turn.c "unit\\.notes")
mutant("64 is the end" [[    return note_say(@{seen[SERVED].value > 64}@ ? NOTE_IN_PART]] [[0]])

mutants_of(bench/notes/c2_handles_in_one_wait.c "unit\\.notes")
mutant("a wait that fails at 64 works" [[seen[TOLD_63].value > 0 && @{seen[TOLD_64].value > 0}@ ? NOTE_HOLDS]] [[1]])

mutants_of(bench/notes/c3_routine_beside_event.c "unit\\.notes")
mutant("an event that is set as well is left alone" [[    return note_say(@{seen[EVENT_SET].value > 0}@ ? NOTE_IN_PART]] [[0]])

mutants_of(bench/notes/c4_overlapped_result.c "unit\\.notes")
mutant("any error is a reset" [[    const bool reset = @{seen[AFTER_RESET].value == 10054}@ ||]] [[seen[AFTER_RESET].value > 0]])

mutants_of(bench/notes/c5_c6_completion_routines.c "unit\\.notes")
mutant("another thread may run the routine" [[    if (@{seen[IN_OTHER].value > 0}@) {]] [[0]])
mutant("half a chain is a chain" [[@{seen[BY_ONE_WAIT].value == CHAIN}@ ? NOTE_HOLDS]] [[seen[BY_ONE_WAIT].value > 1]])

mutants_of(bench/notes/c8_wake_by_apc.c "unit\\.notes")
mutant("one wake-up of 40 is enough" [[@{seen[WOKEN].value == ROUNDS}@ ? NOTE_HOLDS]] [[seen[WOKEN].value > 0]])

mutants_of(bench/notes/c9_port_time_out.c "unit\\.notes")
mutant("a port that no longer works has told" [[    return note_say(told && @{works}@ ? NOTE_HOLDS]] [[1]])

mutants_of(bench/notes/c10_port_order.c "unit\\.notes")
mutant("all threads at work is one" [[    return note_say(@{seen[RELEASED].value > 1}@ ? NOTE_IN_PART]] [[0]])

mutants_of(bench/notes/c11_port_concurrency.c "unit\\.notes")
mutant("two at once are one" [[    const bool limits = @{one <= 1}@ &&]] [[1]])

mutants_of(bench/notes/c12_record_of_a_completion.c "unit\\.notes")
mutant("a record that is not found is found" [[    return note_say(@{seen[WRONG].value > 0}@ ?]] [[0]])

mutants_of(bench/notes/c13_many_at_once.c "unit\\.notes")
mutant("one a call is many" [[    if (@{seen[MOST].value <= 1}@) {]] [[0]])

mutants_of(bench/notes/c14_thread_ends.c "unit\\.notes")
mutant("with a port it is the same" [[    return note_say(alone && @{at_port}@ ? NOTE_HOLDS]] [[1]])

mutants_of(bench/notes/c15_what_can_overlap.c "unit\\.notes")
mutant("ten of eleven are all" [[    return note_say(@{works == CALLS}@ ? NOTE_HOLDS]] [[works + 1 >= CALLS]])

mutants_of(bench/notes/c16_logic_thread.c "unit\\.notes")
mutant("a busy machine decides" [[    const bool busy = @{seen[SLOW_APART_MS].value >= SLOW_MS}@;]] [[0]])

mutants_of(bench/notes/c17_more_threads.c "unit\\.notes")
mutant("one processor decides" [[    if (@{seen[CORES].value < 2}@) {]] [[0]])

mutants_of(bench/notes/d1_pending_locks_pages.c "unit\\.notes")
mutant("pages that stay locked are let go" [[ || @{seen[AFTER].value > seen[BEFORE].value}@ ? NOTE_IN_PART]] [[0]])

mutants_of(bench/notes/d2_aligned_buffers.c "unit\\.notes")
mutant("arithmetic is a lock" [[        @{asked}@ ? NOTE_HOLDS : NOTE_IN_PART,]] [[1]])

mutants_of(bench/notes/d3_request_packets.c "unit\\.notes")
mutant("RIO's packets are overlooked" [[:@{ seen[REGISTERED].count > 0 && seen[REGISTERED].value < 64 }@? NOTE_IN_PART]] [[0]])

mutants_of(bench/notes/d4_limit_of_locks.c "unit\\.notes")
mutant("no end within the bound is an end" [[    if (@{seen[REFUSED].value == 0}@) {]] [[0]])
mutant("a process that crashed decides" [[    if (@{seen[ENDING].value != 0}@ ||]] [[0]])
mutant("memory that stays refused works again" [[    return note_say(@{seen[AGAIN].value > 0}@ ? NOTE_HOLDS]] [[1]])

mutants_of(bench/notes/d6_no_buffers_ends_one.c "unit\\.notes")
mutant("all sessions may end" [[    const bool one = @{seen[ENDED].value == 1}@ &&]] [[seen[ENDED].value > 0]])
mutant("answers missed with RIO do not count" [[lost = rio && @{seen[RIO_LOST].value > 0}@;]] [[0]])

mutants_of(bench/notes/d8_zero_byte_receives.c "unit\\.notes")
mutant("nothing to save decides" [[ || @{full < 0.5}@) {]] [[0]])

mutants_of(bench/notes/d9_pool_of_send_records.c "unit\\.notes")
mutant("eight is more than twice five" [[        @{seen[HEAP_ALONE_NS].value > 2 * seen[POOL_ALONE_NS].value}@) {]] [[seen[HEAP_ALONE_NS].value > seen[POOL_ALONE_NS].value]])

mutants_of(bench/notes/d10_reused_ids.c "unit\\.notes")
mutant("a generation that lets one through is safe" [[ && @{seen[BY_GENERATION].value == 0}@ &&]] [[1]])

mutants_of(bench/notes/e1_writes_at_offsets.c "unit\\.notes")
mutant("offsets that are not heeded are" [[                    : @{seen[OFFSETS_AS_SAID].value == 0}@ ?]] [[0]])

mutants_of(bench/notes/e2_cached_files.c "unit\\.notes")
mutant("one cached read of 16 is none" [[                    : @{cached > 0}@ ||]] [[0]])

mutants_of(bench/notes/e3_order_of_files.c "unit\\.notes")
mutant("sends out of order are overlooked" [[    return note_say(@{sends > 0}@  ?]] [[0]])

mutants_of(bench/notes/f1_f4_models.c "unit\\.notes")
mutant("two steps of three are the order" [[    return note_say(@{in_order == 3}@ ? NOTE_HOLDS]] [[in_order > 1]])

# ---- the comparison

mutants_of(bench/compare/schedule.c "unit\\.schedule")
mutant("the order is always the same" [[        const uint32_t at = @{(uint32_t)(rs_stats_random(&state) % (i + 1))}@;]] [[i]])
mutant("the order is not the seed's" [[    uint64_t state = @{schedule->seed}@ ^]] [[1]])
mutant("the first round counts" [[        .dropped = @{round == 0}@,]] [[0]])
mutant("the warm-up counts" [[        return (rs_turn){.server = index, .warmup = true, .dropped = @{true}@};]] [[false]])
mutant("a rate fails at the first load that misses" [[    bisect->again = @{!good && !bisect->again}@;]] [[false]])
mutant("a capacity need not hold once more" [[        @{bisect->next = bisect->good;}@
        return]] [[bisect->result = bisect->good; return false;]])
mutant("a rate that did not hold again is kept" [[    @{bisect->next *= BISECT_BACK;}@]] [[;]])

mutants_of(bench/compare/map.c "unit\\.map")
mutant("the bound itself is left out" [[    return @{(uint64_t)connections * depth * size <= RS_MAP_BYTES_MAX}@;]] [[(uint64_t)connections * depth * size < RS_MAP_BYTES_MAX]])
mutant("a large frame is not told to the server" [[    const bool large = @{size > MAP_FRAME_DEFAULT}@;]] [[false]])
mutant("a message beyond a frame is one" [[    const bool raw = @{size > RS_FRAME_BYTES_MAX}@;]] [[false]])
mutant("any difference wins" [[    if (@{rate->middle > RS_MAP_WIN}@) {]] [[rate->middle > 1]])
mutant("what is not separable is called the same" [[        return @{rs_stats_is_same(rate)}@ ? RS_MAP_WITHIN]] [[true]])

mutants_of(bench/compare/map_cell.c "unit\\.map")
mutant("a cell of another commit is taken" [[    if (@{strcmp(then, made) != 0}@) {]] [[0]])
mutant("a cell with a void run is taken" [[    return @{!cell_flag(doc, from, "void")}@ && run->value[RS_METRIC_RATE] > 0;]] [[true]])
mutant("a cell that lacks a run is taken" [[    return @{count == results->repeats}@;
}

/* "name]] [[true]])

mutants_of(bench/compare/verdict.c "unit\\.verdict")
mutant("a gain needs no second instrument" [[                                     @{rs_clause_at_most(&cell->machine, 1)}@);]] [[RS_CLAUSE_BETTER]])
mutant("a loss of rate is overlooked" [[        if (@{out->clause == RS_CLAUSE_WORSE}@) {]] [[0]])
mutant("few connections decide" [[    return cell->may_gain && @{cell->connections >= RS_VERDICT_CONNECTIONS_MIN}@;]] [[1]])
mutant("p99 decides in a closed loop" [[        figure.ratio = @{cell->fixed_rate ? cell->p99 : cell->rate}@;]] [[cell->p99]])
mutant("an open clause passes" [[    if (@{open.count > 0}@) {]] [[0]])
mutant("an interval that holds the bound is settled" [[           : @{ratio->low > bound}@ ? RS_CLAUSE_WORSE]] [[1]])
mutant("too few pairs settle" [[    if (@{ratio->count < RS_VERDICT_PAIRS_MIN}@) {
        return RS_CLAUSE_UNSETTLED;
    }
    return ratio->low >= bound]] [[0]])
mutant("a control that differs is overlooked" [[    if (@{rs_stats_is_difference(ratio)}@) {
        return RS_CLAUSE_WORSE;]] [[0]])
mutant("disturbed runs are fit" [[rs_verdict_is_unfit(input->runs, @{input->disturbed + input->voided}@, input]] [[input->voided]])

mutants_of(bench/compare/question.c "unit\\.question")
mutant("Wine answers for Windows" [[(platform == RS_PLATFORM_WINE && @{question->why_windows == NULL}@);]] [[1]])
mutant("one clause of two is enough" [[    if (@{question->any ? holds > 0 : holds == question->clauses}@) {]] [[holds > 0]])
mutant("a failing clause leaves it open" [[    } else if (@{question->any ? fails == question->clauses : fails > 0}@) {]] [[fails == question->clauses]])
mutant("a difference within the bound fails" [[    if (@{ratio->low > 1 + RS_STATS_SAME}@ ||]] [[ratio->low > 1]])
mutant("a void run is overlooked" [[    if (@{seen->voided > 0}@) {]] [[0]])
mutant("a control that differs is overlooked" [[    } else if (@{input->control_fails}@) {]] [[0]])
mutant("no control is needed" [[    } else if (@{input->controls == 0}@) {]] [[0]])
mutant("disturbed pairs count" [[clause->metric, @{!rs_question_counts(clause)}@);]] [[false]])
mutant("unfit is answered all the same" [[    if (@{results->verdict.kind != RS_VERDICT_UNFIT}@ ||]] [[1]])

mutants_of(bench/compare/stats.c "unit\\.stats")
mutant("a void run counts as zero" [[        if (@{rs_is_known(values[i])}@) {
            out]] [[1]])
mutant("the median of an even number is its upper half" [[(@{sorted[half - 1] + sorted[half]}@) / 2;]] [[2 * sorted[half] ]])
mutant("an interval reaches from end to end" [[    const double depth = @{stats_depth(out.count)}@;]] [[0 * stats_depth(out.count)]])
mutant("an interval of too high a level" [[        outside += @{ways}@;]] [[ways / 2]])
mutant("an interval that holds 1 by far shows none" [[ratio->low >= 1 - RS_STATS_SAME &&
           @{ratio->high <= 1 + RS_STATS_SAME}@;]] [[1]])
mutant("a difference from two pairs" [[    return @{ratio->count >= RS_STATS_PAIRS_MIN}@ && (ratio->low > 1]] [[1]])
mutant("every difference is a discovery" [[        ratio[i]->may_be_chance = @{ratio[i]->p > most}@;]] [[0]])
mutant("discoveries by Bonferroni" [[p[i] <= q * @{(i + 1)}@ / count ?]] [[1]])

# ---- the RIO provider for Wine

mutants_of(wine/queue.c "unit\\.wine_queue")
mutant("a queue takes one more than it has room for" [[    return @{more <= cq->size - cq->charged}@;]] [[more <= cq->size - cq->charged + 1u]])
mutant("a lane's charge does not come back" [[    @{lane->cq->charged -= lane->limit;}@]] [[;]])
mutant("a resize below what is out is taken" [[    if (@{limit < lane->outstanding}@) {]] [[0]])
mutant("a queue shrinks below its charge" [[    if (@{size < cq->charged}@) {]] [[0]])
mutant("one request more than the limit" [[    if (@{lane->outstanding >= lane->limit}@) {]] [[lane->outstanding > lane->limit]])
mutant("deferred requests start by themselves" [[    if (lane->running > 0 || @{lane->committed == 0}@ || lane->closing) {]] [[0]])
mutant("a send that ends short is complete" [[    return @{lane->direction == RS_RIO_SEND}@ || (request->wait_all]] [[0]])
mutant("a receive of whole length ends short" [[|| (@{request->wait_all && share > 0}@);]] [[0]])
mutant("loud completions are not lowered on take" [[    @{cq->ready_loud -= !request->silent;}@]] [[;]])
mutant("silent completions are loud" [[    @{cq->ready_loud += !request->silent;}@]] [[cq->ready_loud++;]])
mutant("a failed request has bytes" [[    out->bytes = @{request->status == RS_RIO_OK}@ ? request->done : 0;]] [[1]])
mutant("the queue's slice is cut short by a close and told as sent" [[        if (share < room && @{lane->closing}@ && lane->direction == RS_RIO_SEND) {]] [[0]])

mutants_of(wine/handles.c "unit\\.wine_handles")
mutant("a stale handle is found" [[    return slot != NULL && @{slot->generation == handle >> 32}@ ? slot->object]] [[1]])
mutant("a handle that never was, was" [[    if (slot == NULL || @{generation == 0}@) {]] [[0]])
mutant("a freed slot is lost" [[    @{table->first_free = (uint32_t)handle;}@]] [[;]])
mutant("handle 0 names the first slot" [[    if (@{number == 0}@ || number > table->used) {]] [[0]])

mutants_of(wine/table.c "rio_provider|rio_contract\\.(wine|emulated)|rio_lent\\.wine")
mutant("RIONotify without the second look after arming" [[        @{engine->harvest(cq);}@ /* what completed between]] [[;]])
mutant("a commit is left to a wait that does not come" [[    leaves = cq->waits_here && @{!cq->left_unsent}@;]] [[1]])
mutant("each dequeue submits" [[    if (!@{leaves}@) {]] [[0]])
mutant("a queue is armed twice" [[    rs_cq_lock(cq);
    if (@{cq->core.armed}@) {
        rs_cq_unlock(cq);
        return WSAEALREADY;]] [[0]])
mutant("the event is not reset by RIONotify" [[ && @{cq->notification.Event.NotifyReset}@) {]] [[0]])
mutant("a slice ends beyond its registration" [[    if (slice->Offset > buffer->length || @{slice->Length > buffer->length - slice->Offset}@ ||]] [[slice->Length > buffer->length]])
mutant("a slice begins beyond its registration" [[    if (@{slice->Offset > buffer->length}@ ||]] [[0]])
mutant("an address that does not fit is taken" [[        @{slice->Length < bytes_min}@) {]] [[0]])
mutant("a slice that was deregistered was never registered" [[        return @{rs_handle_was(&provider->buffers, table_number(slice->BufferId))}@ ? WSAEFAULT]] [[0]])
mutant("read-only memory is registered" [[            @{!(info.Protect & writable)}@ ||]] [[0]])
mutant("unknown flags are taken" [[    if (@{call->flags & ~allowed}@) {]] [[0]])
mutant("a commit with data is taken" [[    return @{bare}@ ? 0 : WSAEINVAL;]] [[1]])
mutant("a stream sends nothing" [[    if (@{rq->stream && call->count == 0}@) {]] [[0]])
mutant("a silent request notifies" [[    filled.silent = @{(call->flags & RIO_MSG_DONT_NOTIFY) != 0}@;]] [[false]])
mutant("a receive of whole length ends short" [[    filled.wait_all = @{(call->flags & RIO_MSG_WAITALL) != 0}@;]] [[false]])
mutant("a resize that failed is half done" [[        @{(void)table_resize_lane(&rq->lane[RS_RIO_RECV], before);}@]] [[;]])
mutant("a socket without WSA_FLAG_REGISTERED_IO gets a queue" [[    if (@{!rs_socket_may(s)}@) {]] [[0]])
mutant("a request queue takes any kind of socket" [[    if (@{info.iSocketType != SOCK_STREAM && info.iSocketType != SOCK_DGRAM}@) {]] [[0]])

mutants_of(wine/uring.c "rio_provider\\.wine|rio_contract\\.wine|conf\\.rio$")
mutant("ECANCELED is not run again" [[(@{result == -LX_ECANCELED}@ && !lane->closing)) {]] [[0]])
mutant("a reset is an end of stream" [[request->done == 0 && !lane->closing && @{uring_was_reset(lane->rq)}@) {]] [[false]])
mutant("a send to a reset connection met its own shutdown" [[        return @{uring_was_reset(lane->rq)}@ ? WSAECONNRESET]] [[0]])
mutant("our own close is told as a failure" [[        rs_queue_finish(lane, @{lane->closing}@ ? WSA_OPERATION_ABORTED]] [[0]]
    EQUIVALENT "a request that was cancelled says the same; another end would have to come between the close and its cancel")
mutant("a receive goes on at its beginning" [[    sqe->addr = (uint64_t)(intptr_t)request->data.at + @{request->done}@;]] [[0]])
mutant("the helper starts no successors" [[            @{uring_flush(cq);}@ /* successors]] [[;]])
mutant("the descriptor of a closed socket stays open" [[    rq->fd = -1;
    @{rs_gate_close_fd(fd);}@]] [[;]])
mutant("a request before the connection takes the socket over" [[    if (rq->stream && @{rs_gate_never_connected(rq->fd)}@) {]] [[false]])
mutant("the place of a closed file is lost" [[        (void)rs_ring_register(&uring->ring, LX_REGISTER_FILES_UPDATE2, &update,
                               sizeof update); /* a slot of ours: cannot fail */
        @{uring->files_free[uring->files_free_count++] = update.offset;}@]] [[;]]
    EQUIVALENT "a queue without room for a file uses the descriptor, as it does beyond the limit: slower, not other")

mutants_of(wine/uring_burst.c "rio_contract\\.wine")
mutant("a datagram cut short is whole" [[ || @{out->payload_length > data->length}@,]] [[0]])
mutant("a buffer that was read is lost" [[    @{b->free[b->free_count++] = (uint16_t)number;}@]] [[;]])
mutant("buffers stay too short for longer slices" [[    return @{lane->widest > b->payload}@ ||]] [[0]])
mutant("what is spoilt is not made anew" [[    if (!lane->standing && (b == NULL || @{b->spoilt}@)) {]] [[0]])
mutant("more is lent than is free" [[    count = @{count < b->free_count ? count : b->free_count}@;]] [[count]])
mutant("a receive that stands is not ended by the close" [[    if (@{lane->closing}@) {
        rs_uring_burst_discard]] [[0]])

mutants_of(wine/wait.c "rio_provider\\.wine|conf\\.rio$")
mutant("sleeps although packets wait" [[        @{timeout_ns = 0;}@ /* packets wait]] [[;]])
mutant("a wake is seen once and for all" [[    @{uring->woken = false;}@]] [[;]])
mutant("packets taken ahead go with the queue" [[    while (wait_take(bridge, &entry, 1) == 1) {
        @{wait_post(bridge, &entry);}@]] [[;]])
mutant("packets that found no room go with the queue" [[        @{wait_post(bridge, &bridge->held[i]);}@]] [[;]])
mutant("the packet that ends the thread is left to the program" [[    for (ULONG i = 0; @{!bridge->stop_taken}@ &&]] [[0]])
mutant("the thread at the port is not told of room" [[    ReleaseSRWLockExclusive(&bridge->lock);
    @{WakeAllConditionVariable(&bridge->room);}@
    return count;]] [[;]])
mutant("a packet in the port wakes nobody" [[        @{wait_ring(bridge);}@
    }
    return 0; /* the program]] [[;]])
mutant("a wait is patient from the first on" [[    sends = @{bridge->unused_ends < bridge->unused_min}@ ? 0]] [[0]])
mutant("an end that led to a request does not count" [[    @{bridge->unused_ends = 0;}@
    if (bridge->was_patient]] [[;]])

mutants_of(wine/lazy.c "rio_(provider|contract)\\.wine|conf\\.rio$")
mutant("a commit that nobody follows up never leaves" [[    if (@{cq->unsent > 0 && !cq->waits_here && !cq->core.dead}@) {]] [[0]])
mutant("a commit does not wake the ticker" [[        @{lazy_wake();}@]] [[;]])

mutants_of(wine/sockets.c "rio_provider|rio_contract\\.(wine|emulated)|conf\\.rio$")
mutant("a socket gets two request queues" [[    link = sockets_link(rq->socket);
    if (@{*link == NULL}@) {]] [[1]])
mutant("what was committed does not leave before the close" [[        engine->cancel(lane);
        @{engine->flush(cq);}@]] [[;]])
mutant("a shutdown overtakes what was committed" [[            @{rs_provider_state()->engine->flush(cq);}@
        }
        rs_cq_leave(cq);
    }
    return shutdown]] [[;]])
mutant("a closed socket still has its queue" [[        @{*link = rq->next;}@
        (void)rs_handle_close]] [[;]])

mutants_of(wine/emulated.c "rio(run_posted|_provider|_contract)\\.emulated|conf\\.rio_emulated")
mutant("a reset is an end of stream" [[request->done == 0 && !lane->closing &&
        @{emulated_was_reset(lane->rq)}@) {]] [[false]])
mutant("a packet of the program's own is ours" [[    return @{overlapped->Offset == EMULATED_MARK &&
           overlapped->OffsetHigh == (DWORD)(uintptr_t)overlapped}@;]] [[true]])
mutant("a datagram cut short is whole" [[    if (@{error && request->data.at != NULL}@) {]] [[0]])
mutant("a burst finds no room in the socket" [[        @{emulated_make_room(rq);}@]] [[;]])
mutant("our own close is told as a failure" [[    if (@{lane->closing && error}@) {]] [[0]]
    EQUIVALENT "a call that was cancelled says the same; another end would have to come between the close and its cancel")
mutant("a synchronous socket blocks its queue" [[            ((emulated_lane *)rq->lane[d].engine)->blocks = @{true}@;]] [[false]])
mutant("the event of a wait is closed with its queue" [[            @{emulated_keep(part);}@ /* a returning]] [[(void)UnregisterWaitEx(part->wait, NULL); CloseHandle(part->event); free(part);]])
