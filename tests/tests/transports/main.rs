//! Tests of what `Transport` promises, against a server that misbehaves: one suite, run for every
//! adapter.
//!
//! A case is a function of a [`Subject`](subject::Subject). A limit of an adapter is a field of its
//! subject and is documented by the adapter; the cases know no adapter by name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a case that cannot go on stops: that is what a test is for"
)]

mod bodies;
mod connections;
mod damage;
mod executors;
mod grpc_only;
mod heads;
mod hyper_only;
mod requests;
mod reqwest_only;
#[cfg(unix)]
#[path = "../support/scratch.rs"]
mod scratch;
mod server;
mod subject;
mod surf_only;
#[cfg(target_os = "linux")]
mod syscalls;
mod threads;
mod tls;
mod ureq_only;

/// Writes one module for each adapter, with one test for each case.
macro_rules! suite {
    ($($cases:ident: $($case:ident),+;)+) => {
        suite!(@adapter over_hyper $($cases: $($case),+;)+);
        suite!(@adapter over_surf $($cases: $($case),+;)+);
        suite!(@adapter over_reqwest $($cases: $($case),+;)+);
        suite!(@adapter over_reqwest_on_a_runtime $($cases: $($case),+;)+);
        suite!(@adapter over_ureq $($cases: $($case),+;)+);
    };
    (@adapter $adapter:ident $($cases:ident: $($case:ident),+;)+) => {
        mod $adapter {
            $($(
                #[test]
                fn $case() {
                    crate::$cases::$case(&crate::subject::$adapter());
                }
            )+)+
        }
    };
}

suite! {
    heads:
        every_status_arrives_as_sent,
        interim_replies_are_not_the_reply,
        headers_arrive_as_sent_in_order_and_byte_for_byte,
        many_headers_arrive,
        too_many_headers_are_an_error,
        a_head_without_end_is_cut,
        what_is_not_http_is_an_error,
        a_redirect_is_a_reply_and_is_not_followed;
    bodies:
        a_body_arrives_however_it_is_framed,
        statuses_without_a_body_have_none,
        a_reply_to_head_has_no_body,
        a_body_of_exactly_the_limit_arrives,
        an_announced_body_over_the_limit_is_refused_before_it_is_read,
        a_body_over_the_limit_is_cut_while_it_is_read,
        a_body_shorter_than_announced_is_an_error,
        a_chunked_body_without_its_end_is_an_error,
        an_invalid_content_length_is_an_error,
        a_body_keeps_no_memory_but_its_own;
    requests:
        a_request_arrives_as_it_was_made,
        bodies_of_any_size_arrive_whole,
        an_empty_post_says_that_it_is_empty,
        a_length_of_the_callers_is_sent_once_if_it_is_the_bodys,
        framing_that_is_not_the_bodys_is_refused,
        a_path_is_never_resolved,
        a_request_that_cannot_be_sent_is_refused,
        a_port_without_a_listener_is_a_connect_error;
    connections:
        a_connection_is_used_again,
        a_dropped_request_never_disturbs_the_next,
        an_unread_reply_never_becomes_the_next_ones,
        a_surplus_reply_never_becomes_the_next_ones,
        a_reply_nobody_asked_for_never_becomes_the_next_ones,
        a_connection_closed_while_idle_is_replaced,
        a_connection_closed_on_the_next_request_is_replaced,
        a_request_is_not_sent_again_and_again,
        a_reset_is_an_error,
        a_callers_time_limit_covers_the_body,
        a_thousand_requests_at_once;
    executors:
        it_runs_on_smol_on_tokio_and_on_none,
        a_caller_that_blocks_its_executor_gets_its_reply,
        a_request_of_a_task_that_has_used_up_its_turn_goes_on_in_the_next,
        a_transport_outlives_the_executor_of_its_first_request;
    damage:
        no_reply_makes_it_panic_or_hang;
}
