//! What becomes of a request that has ended.

use std::{
    task::Waker,
    time::{Instant, SystemTime},
};

use super::{
    core::{Cancelled, Gave, PageEnd},
    guard::guarded,
    ids::GroupId,
    request::{Reader, Request, What},
    shared::Shared,
    ticket::Ticket,
};
use crate::{
    dialect::ListPage,
    driver::{is_not_held, poll_outcome},
    engine::PollSuccess,
    message::Reply,
    operation::{RawOperation, snapshot::ReplyTime},
    settings::Verdict,
    status::Failure,
    telemetry::{CallOutcome, Done},
    timer::Timer,
};

/// Reports what a request gave.
pub(super) fn land(shared: &Shared, request: Request, answer: Result<Reply, Failure>, timer: &dyn Timer) {
    let Request { what, began, mut telemetry, .. } = request;
    let at = At { now: timer.now(), system_now: timer.system_time() };
    let replied = ReplyTime::of_poll(began.into(), at.now.into());
    match what {
        What::Poll { ticket, mut operation, is_held } => {
            let before = operation.snapshot.target.clone();
            let advanced =
                answer.and_then(|mut reply| guarded(|| operation.advance(&mut reply, replied)).unwrap_or_else(Err));
            telemetry.polled(|| Done {
                took: at.now.saturating_duration_since(began),
                outcome: poll_outcome(&operation, &advanced, is_held, at.now.into()),
            });
            let has_moved = match (&before, &operation.snapshot.target) {
                (Some(before), Some(after)) => !before.is(after),
                _ => false,
            };
            land_poll(shared, ticket, operation, &at, advanced, is_held, has_moved);
        }
        What::Cancel { ticket, operation, failures } => {
            let answer = answer.and_then(|reply| match operation.snapshot.place() {
                Some(place) => guarded(|| place.dialect().read_answer(&reply)).unwrap_or_else(Err),
                None => Ok(()),
            });
            telemetry.ended(|| answer.as_ref().map_or_else(CallOutcome::Failed, |()| CallOutcome::Accepted));
            let gave = match answer {
                Err(failure) if failure.verdict() == Verdict::Retry => Cancelled::Failed(failure),
                // It was accepted, or will not be: what came of it the polls tell.
                _ => Cancelled::Answered,
            };
            let mut state = shared.lock();
            state.core.report_cancel(ticket, failures, at.now, at.system_now, &gave);
            if matches!(gave, Cancelled::Answered) && state.core.is_waiting(ticket) {
                state.write_amendment(ticket); // it need not be sent again
            }
        }
        What::Page { group, reader } => {
            let Reader { dialect, query, .. } = reader;
            let read = |reply| guarded(|| dialect.read_list(&query, reply)).unwrap_or_else(Err);
            let page = answer.as_ref().map_err(Failure::clone).and_then(read);
            telemetry.ended(|| page.as_ref().map_or_else(CallOutcome::Failed, |_| CallOutcome::Accepted));
            land_page(shared, group, page, replied, &at);
        }
        What::Batch { group, members, reader } => {
            let Reader { dialect, cursors, .. } = reader;
            let cursors: Vec<_> = cursors.iter().collect();
            let read = |reply| guarded(|| dialect.read_named(&cursors, reply)).unwrap_or_else(Err);
            let page = answer.as_ref().map_err(Failure::clone).and_then(read);
            telemetry.ended(|| page.as_ref().map_or_else(CallOutcome::Failed, |_| CallOutcome::Accepted));
            land_batch(shared, group, &members, page, replied, &at);
        }
    }
}

/// Reports that a request was given up, because its driver was dropped.
pub(super) fn give_up(shared: &Shared, request: Request, timer: &dyn Timer) {
    let at = At { now: timer.now(), system_now: timer.system_time() };
    let At { now, system_now } = at;
    let what = request.into_what();
    let mut state = shared.lock();
    match what {
        What::Poll { ticket, .. } => state.core.report(ticket, now, system_now, Gave::GivenUp),
        What::Cancel { ticket, failures, .. } => {
            state.core.report_cancel(ticket, failures, now, system_now, &Cancelled::GivenUp);
        }
        What::Page { group, .. } => {
            state.core.end_page(group, now, system_now, &PageEnd::GivenUp, std::iter::empty());
        }
        What::Batch { group, members, .. } => {
            state.core.end_page(group, now, system_now, &PageEnd::GivenUp, members.into_iter());
        }
    }
}

/// When a request has ended, on both clocks.
struct At {
    now: Instant,
    system_now: SystemTime,
}

fn land_poll(
    shared: &Shared,
    ticket: Ticket,
    operation: RawOperation,
    at: &At,
    advanced: Result<(), Failure>,
    is_held: bool,
    has_moved: bool,
) {
    let mut wakers = Vec::new();
    let mut state = shared.lock();
    let gave = match advanced {
        Ok(()) => {
            let seen = &operation.snapshot;
            let success =
                PollSuccess { completed: seen.state.is_terminal(), hint: seen.more().hint, follow: seen.follow };
            wakers = state.advance(ticket, &operation, has_moved, at.now);
            let is_refused = !success.completed && state.refuses(ticket, &operation);
            Gave::Success(PollSuccess { completed: success.completed || is_refused, ..success })
        }
        Err(failure) if is_not_held(&failure, is_held) => Gave::NoHold,
        Err(failure) => Gave::Failure(failure),
    };
    state.core.report(ticket, at.now, at.system_now, gave);
    state.keep_last(ticket, operation);
    drop(state);
    wakers.into_iter().for_each(Waker::wake);
}

fn land_page(shared: &Shared, id: GroupId, page: Result<ListPage<'_>, Failure>, replied: ReplyTime, at: &At) {
    let mut wakers = Vec::new();
    let mut state = shared.lock();
    let end = match page {
        Ok(ListPage { operations, next_page_token, unreachable, failure }) => {
            for listed in operations {
                wakers.extend(state.show(id, listed, replied));
            }
            let is_complete = unreachable.is_empty() && failure.is_none();
            let next = if is_complete { state.groups.turn_to(id, next_page_token) } else { Ok(false) };
            match next {
                Ok(true) => PageEnd::More,
                Ok(false) => PageEnd::Last { is_complete },
                // The list goes round in a circle.
                Err(_) => PageEnd::Last { is_complete: false },
            }
        }
        Err(failure) => ended(failure),
    };
    let members = if matches!(end, PageEnd::More) { Vec::new() } else { state.members(id) };
    state.core.end_page(id, at.now, at.system_now, &end, members.into_iter());
    drop(state);
    wakers.into_iter().for_each(Waker::wake);
}

fn land_batch(
    shared: &Shared,
    id: GroupId,
    members: &[Ticket],
    page: Result<ListPage<'_>, Failure>,
    replied: ReplyTime,
    at: &At,
) {
    let mut wakers = Vec::new();
    let mut state = shared.lock();
    let end = match page {
        Ok(page) => {
            for listed in page.operations {
                wakers.extend(state.show(id, listed, replied));
            }
            PageEnd::Last { is_complete: true }
        }
        Err(failure) => ended(failure),
    };
    state.core.end_page(id, at.now, at.system_now, &end, members.iter().copied());
    drop(state);
    wakers.into_iter().for_each(Waker::wake);
}

/// What a failed request of a group means: another one may succeed, or none.
fn ended(failure: Failure) -> PageEnd {
    match failure.verdict() {
        Verdict::Retry => PageEnd::Failed(failure),
        _ => PageEnd::Refused(failure),
    }
}
