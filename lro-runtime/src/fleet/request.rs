//! The requests of a fleet: polls, pages, batches and cancel calls.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{
    groups::Group,
    guard::guarded,
    ids::GroupId,
    resting::{Common, Epoch, Resting},
    ticket::Ticket,
};
use crate::{
    client::Operations,
    dialect::{Call, Cursor, Dialect, ListQuery},
    driver::place_of,
    message::Reply,
    operation::{Method, RawOperation},
    status::Failure,
    telemetry::{CallKind, CallTelemetry},
    timer::Timer,
    transport::BoxFuture,
};

/// What a request is for.
pub(super) enum What {
    Poll { ticket: Ticket, operation: RawOperation, is_held: bool },
    Cancel { ticket: Ticket, operation: RawOperation, failures: u8 },
    Page { group: GroupId, reader: Reader },
    Batch { group: GroupId, members: Vec<Ticket>, reader: Reader },
}

/// What reads the reply of a group's request.
pub(super) struct Reader {
    pub(super) dialect: Arc<dyn Dialect>,
    /// The query of a page.
    pub(super) query: ListQuery,
    /// The members of a batch.
    pub(super) cursors: Vec<Cursor>,
}

/// A request in flight.
pub(super) struct Request {
    pub(super) what: What,
    pub(super) began: Instant,
    pub(super) limit: Duration,
    pub(super) telemetry: CallTelemetry,
    reply: BoxFuture<'static, Result<Reply, Failure>>,
}

impl Request {
    /// Returns when the request is given up; `None` if that is beyond what the clock can hold.
    pub(super) fn until(&self) -> Option<Instant> {
        self.began.checked_add(self.limit)
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Reply, Failure>> {
        let _entered = self.telemetry.lent().enter();
        let reply = self.reply.as_mut();
        guarded(|| reply.poll(context)).unwrap_or_else(|failure| Poll::Ready(Err(failure)))
    }

    /// Gives the request up, and returns what it was for.
    pub(super) fn into_what(self) -> What {
        self.what
    }
}

/// What is needed to make an operation again.
pub(super) struct Brief {
    pub(super) common: Arc<Common>,
    pub(super) resting: Resting,
    pub(super) name: String,
    pub(super) epoch: Epoch,
}

impl Brief {
    pub(super) fn operation(&self) -> RawOperation {
        self.resting.operation(&self.name, &self.common, self.epoch)
    }
}

/// What is needed for the request of a group.
pub(super) struct GroupBrief {
    client: Operations,
    dialect: Arc<dyn Dialect>,
    method: Option<&'static Method>,
    query: ListQuery,
    cursors: Vec<Cursor>,
    limit: Duration,
}

impl GroupBrief {
    pub(super) fn new(group: &Group, query: ListQuery, cursors: Vec<Cursor>) -> Self {
        let Group { client, dialect, method, limit, .. } = group;
        Self { client: client.clone(), dialect: Arc::clone(dialect), method: *method, query, cursors, limit: *limit }
    }
}

/// Sends the poll of an operation.
pub(super) fn poll(
    ticket: Ticket,
    brief: &Brief,
    limit: Duration,
    hold: Option<Duration>,
    timer: &Arc<dyn Timer>,
) -> Request {
    let operation = brief.operation();
    let telemetry = CallTelemetry::begin(CallKind::Poll(hold), || operation.subject());
    let (sent, sent_by) = (operation.clone(), Arc::clone(timer));
    let reply = Box::pin(async move { sent.reply(limit, hold, &*sent_by).await });
    let what = What::Poll { ticket, operation, is_held: hold.is_some() };
    Request { what, began: timer.now(), limit, telemetry, reply }
}

/// Sends the cancel call of an operation.
pub(super) fn cancel(ticket: Ticket, brief: &Brief, failures: u8, timer: &Arc<dyn Timer>) -> Request {
    let operation = brief.operation();
    let telemetry = CallTelemetry::begin(CallKind::Cancel, || operation.subject());
    let call =
        place_of(&operation).and_then(|place| guarded(|| place.dialect().cancel(&place.cursor())).unwrap_or_else(Err));
    let limit = brief.common.schedule.poll_timeout;
    let reply = send(brief.common.client.clone(), call, limit, timer);
    Request { what: What::Cancel { ticket, operation, failures }, began: timer.now(), limit, telemetry, reply }
}

/// Sends the request of a page.
pub(super) fn page(group: GroupId, brief: GroupBrief, timer: &Arc<dyn Timer>) -> Request {
    let call = guarded(|| brief.dialect.list(&brief.query)).unwrap_or_else(Err);
    of_group(brief, call, timer, |reader| What::Page { group, reader })
}

/// Sends the request for several members of a group.
pub(super) fn batch(group: GroupId, members: Vec<Ticket>, brief: GroupBrief, timer: &Arc<dyn Timer>) -> Request {
    let cursors: Vec<_> = brief.cursors.iter().collect();
    let call = guarded(|| brief.dialect.poll_named(&cursors)).unwrap_or_else(Err);
    of_group(brief, call, timer, |reader| What::Batch { group, members, reader })
}

fn of_group(
    brief: GroupBrief,
    call: Result<Call, Failure>,
    timer: &Arc<dyn Timer>,
    what: impl FnOnce(Reader) -> What,
) -> Request {
    let GroupBrief { client, dialect, method, query, cursors, limit } = brief;
    let telemetry = CallTelemetry::begin(CallKind::List, || client.subject(method, dialect.id(), None));
    let reply = send(client.clone(), call, limit, timer);
    Request { what: what(Reader { dialect, query, cursors }), began: timer.now(), limit, telemetry, reply }
}

/// Sends a call, however long its reply takes.
fn send(
    client: Operations,
    call: Result<Call, Failure>,
    limit: Duration,
    timer: &Arc<dyn Timer>,
) -> BoxFuture<'static, Result<Reply, Failure>> {
    let timer = Arc::clone(timer);
    Box::pin(async move {
        let request = client.request(call?)?;
        client.reply(&request, limit, &*timer).await
    })
}
