/* See send_window.h. */
#include "seam/send_window.h"

#include "core/assert.h"

void rs_send_window_init(rs_send_window *window, uint32_t capacity) {
    RS_ASSERT(capacity >= 1 && capacity <= RS_SENDS_IN_FLIGHT_MAX);
    *window = (rs_send_window){.capacity = (uint8_t)capacity};
}

bool rs_send_window_add(rs_send_window *window, rs_send_slot *slots, uint8_t *data, uint32_t bytes,
                        uint64_t tag) {
    RS_ASSERT(window->started <= window->count);
    if (window->count == window->capacity) {
        return false;
    }
    *rs_send_window_at(window, slots, window->head, window->count) =
        (rs_send_slot){.data = data, .bytes = bytes, .tag = tag};
    window->count++;
    return true;
}

uint32_t rs_send_window_start(rs_send_window *window, uint32_t max, uint32_t *first) {
    uint32_t count = (uint32_t)window->count - window->started;
    RS_ASSERT(window->started <= window->count);
    if (count > max) {
        count = max;
    }
    *first = ((uint32_t)window->head + window->started) % window->capacity;
    window->started = (uint8_t)(window->started + count);
    return count;
}

static bool send_window_is_started(const rs_send_window *window, uint32_t index) {
    uint32_t behind = (index + window->capacity - window->head) % window->capacity;
    return behind < window->started;
}

void rs_send_window_finish(rs_send_window *window, rs_send_slot *slots, uint32_t first,
                           uint32_t count, rs_status status, uint32_t bytes, uint8_t flags) {
    uint32_t left = bytes;
    for (uint32_t i = 0; i < count; i++) {
        rs_send_slot *slot = rs_send_window_at(window, slots, first, i);
        RS_ASSERT(send_window_is_started(window, (first + i) % window->capacity));
        RS_ASSERT(!slot->done);
        slot->sent = left < slot->bytes ? left : slot->bytes;
        slot->status = (uint8_t)status;
        slot->flags = flags;
        slot->done = true;
        left -= slot->sent;
    }
    RS_ASSERT(left == 0);
}

bool rs_send_window_take(rs_send_window *window, const rs_send_slot *slots, rs_send_slot *out) {
    if (window->started == 0 || !slots[window->head].done) {
        return false;
    }
    *out = slots[window->head];
    window->head = (uint8_t)((window->head + 1u) % window->capacity);
    window->count--;
    window->started--;
    return true;
}
