/* SPDX-License-Identifier: MIT */
/* The one list of cases. Every back end runs all of it; a case missing from one instance is a skip
 * with a reason in its descriptor, printed and counted against a budget.
 *
 * X(name): the function conf_case_<name>(conf_run *) in one of the cases_*.c files. */
#ifndef RS_CONFORMANCE_CASES_H
#define RS_CONFORMANCE_CASES_H

/* Needs seam/backend.h only: both ends of each connection go through the seam. */
#define CONF_SEAM_CASES(X)                                                                         \
    /* streams */                                                                                  \
    X(accept_and_echo)                                                                             \
    X(one_byte_trickle)                                                                            \
    X(maximum_frame_both_ways)                                                                     \
    X(large_transfer_8MiB_both_ways_is_verified)                                                   \
    X(sends_complete_in_order)                                                                     \
    X(gathered_sends_each_complete)                                                                \
    X(sends_of_two_connections_do_not_mix)                                                         \
    X(receive_waits_for_data)                                                                      \
    X(data_before_attach_is_received)                                                              \
    X(blocked_send_resumes_when_peer_reads)                                                        \
    X(tuned_buffers_still_deliver)                                                                 \
    X(receives_are_filled_in_the_order_of_the_stream)                                              \
    X(end_of_stream_ends_every_receive)                                                            \
    /* ends */                                                                                     \
    X(half_close_by_client_delivers_tail)                                                          \
    X(half_close_by_server_delivers_tail)                                                          \
    X(zero_bytes_means_end_and_sending_stays_usable)                                               \
    X(end_of_stream_repeats)                                                                       \
    X(data_and_end_at_once_arrive_in_order)                                                        \
    X(shutdown_waits_for_earlier_sends)                                                            \
    X(reset_with_recv_in_flight)                                                                   \
    X(reset_ends_every_receive)                                                                    \
    X(reset_with_send_in_flight)                                                                   \
    X(reset_without_request_is_told_later)                                                         \
    X(reset_found_by_send_is_told_to_receive)                                                      \
    X(close_with_recv_in_flight_aborts_it)                                                         \
    X(close_aborts_every_receive)                                                                  \
    X(close_with_recv_in_flight_delivers_what_was_sent)                                            \
    X(close_with_unread_input_delivers_what_was_sent)                                              \
    X(close_over_data_not_polled_yet)                                                              \
    X(close_over_a_reset_not_polled_yet_is_aborted)                                                \
    X(close_in_the_batch_of_its_requests)                                                          \
    X(close_with_sends_in_flight_delivers_them)                                                    \
    X(close_is_told_last)                                                                          \
    X(abort_close_resets_peer)                                                                     \
    X(abort_close_cancels_sends)                                                                   \
    X(plain_close_escalates_to_abort_once)                                                         \
    X(escalation_of_a_close_not_polled_yet_is_taken)                                               \
    X(escalation_of_a_close_with_recv_in_flight_is_taken)                                          \
    /* refusals and generations */                                                                 \
    X(second_close_is_refused)                                                                     \
    X(op_after_close_is_refused)                                                                   \
    X(stale_generation_is_refused)                                                                 \
    X(slot_reuse_gets_new_generation)                                                              \
    X(completion_carries_tag_and_generation)                                                       \
    X(submit_stops_at_first_refusal)                                                               \
    X(more_receives_than_reserved_is_refused)                                                      \
    X(more_sends_than_reserved_is_refused)                                                         \
    X(bad_arguments_are_refused)                                                                   \
    X(slices_outside_of_the_region_are_refused)                                                    \
    X(full_capacity_with_ops_in_flight)                                                            \
    /* connecting and listening */                                                                 \
    X(connect_refused)                                                                             \
    X(failed_connect_leaves_slot_bound)                                                            \
    X(close_while_connecting)                                                                      \
    X(port_in_use)                                                                                 \
    X(unlisten_completes_last_and_stops_accepting)                                                 \
    X(listen_again_after_unlisten)                                                                 \
    X(several_listeners_accept_and_end_each)                                                       \
    X(accept_burst_of_200_all_arrive)                                                              \
    X(accepts_are_bounded_while_nobody_polls)                                                      \
    X(discard_closes)                                                                              \
    X(connect_close_cycles_leave_no_slot_bound)                                                    \
    /* the loop */                                                                                 \
    X(poll_respects_cap)                                                                           \
    X(poll_timeout_zero_never_sleeps)                                                              \
    X(poll_timeout_ends)                                                                           \
    X(wake_before_poll_ends_it)                                                                    \
    X(wake_from_another_thread_ends_poll)                                                          \
    X(wake_after_inline_completions_ends_poll)                                                     \
    X(wake_storm_coalesces)                                                                        \
    X(busy_connection_does_not_starve_another)                                                     \
    /* opening, memory, statistics */                                                              \
    X(open_with_impossible_config_fails_with_message)                                              \
    X(not_available_is_a_status_of_its_own)                                                        \
    X(regions_up_to_the_limit)                                                                     \
    X(stats_name_their_calls)

/* Needs the session layer too: a server on the back end under test. Each runs twice, the second
 * time with the application behind a logic thread (server/logic.h). */
#define CONF_SERVER_CASES(X)                                                                       \
    X(server_echoes_frames_of_all_sizes)                                                           \
    X(server_random_fragmentation_echoes_equal)                                                    \
    X(server_malformed_frame_closes_only_that_session)                                             \
    X(server_frames_are_those_of_the_framer)                                                       \
    X(server_line_too_long_closes_only_that_session)                                               \
    X(server_silent_session_is_closed_idle)                                                        \
    X(server_half_finished_frame_is_closed_idle)                                                   \
    X(server_frames_that_wait_come_before_idleness)                                                \
    X(server_first_frame_must_come_in_time)                                                        \
    X(server_more_frames_than_its_rate_end_a_session)                                              \
    X(server_never_reader_ends_as_slow_consumer)                                                   \
    X(server_deep_pipelines_of_long_frames_are_served)                                             \
    X(server_reader_is_served_after_the_server_was_away)                                           \
    X(server_greedy_clients_leave_others_their_blocks)                                             \
    X(server_raw_waits_for_who_does_not_read)                                                      \
    X(server_raw_reads_no_more_than_it_may_queue)                                                  \
    X(server_pause_waits_for_who_does_not_read)                                                    \
    X(server_pause_reads_no_more_than_it_may_queue)                                                \
    X(server_relay_holds_little_and_never_runs_dry)                                                \
    X(server_thousand_broadcasts_in_a_turn_close_nobody)                                           \
    X(server_thousand_longer_broadcasts_close_nobody)                                              \
    X(server_refuses_beyond_max_sessions)                                                          \
    X(server_half_close_gets_every_reply)                                                          \
    X(server_reset_is_counted)                                                                     \
    X(server_stop_under_load_drains)                                                               \
    X(server_turns_away_who_comes_while_off)                                                       \
    X(server_drain_lets_sessions_finish)                                                           \
    X(server_drain_ends_the_rest_at_its_deadline)                                                  \
    X(server_tells_what_is_left)                                                                   \
    X(server_cycles_leave_nothing_behind)                                                          \
    X(server_limits_connections_of_an_address)                                                     \
    X(server_limits_connections_of_an_ipv6_address)                                                \
    X(server_limits_each_family)                                                                   \
    X(server_knows_its_peers)                                                                      \
    X(server_knows_its_ipv6_peers)                                                                 \
    X(server_connects_out)                                                                         \
    X(server_connects_out_over_ipv6)                                                               \
    X(server_tells_failed_connects)                                                                \
    X(server_stop_ends_connects)                                                                   \
    X(server_serves_both_families)                                                                 \
    X(server_listens_on_several_addresses)                                                         \
    X(server_knows_proxied_peers)                                                                  \
    X(server_knows_proxied_peers_of_raw_bytes)                                                     \
    X(server_knows_a_balancer_itself)                                                              \
    /* on the loop */                                                                              \
    X(server_posts_run_between_start_and_end)                                                      \
    X(server_timers_are_never_early_and_end_with_their_session)                                    \
    X(server_low_water_is_told_once)

#define CONF_CASES(X)                                                                              \
    CONF_SEAM_CASES(X)                                                                             \
    CONF_SERVER_CASES(X)

#endif
