//! Starting under a key: one start, however often it is asked for.

use std::{
    future::{Future, IntoFuture, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::SystemTime,
};

use super::{
    Fleet,
    endings::Wakers,
    journal::{
        Number,
        record::{Call, Request},
    },
    shared::{Entrant, Keyed, Shared},
    ticket::Ticket,
    watch::{self, How},
};
use crate::{
    client::{
        Operations,
        start_record::{NotKept, StartRecord},
        start_recorder::{StartRecorder, poll_recorded},
    },
    error::{Error, ErrorKind, Result},
    operation::{Handle, Method},
    transport::BoxFuture,
};

/// A place that is kept in a fleet while an operation is started, and its key. Both are given back
/// when it is dropped, unless the operation has taken them.
struct Reserved<'a> {
    fleet: &'a Fleet,
    key: Arc<str>,
    ticket: Ticket,
    began: SystemTime,
    is_taken: bool,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.is_taken {
            give_back(&self.fleet.shared, self.ticket, &self.key);
        }
    }
}

/// Gives a place and a key back.
fn give_back(shared: &Shared, ticket: Ticket, key: &Arc<str>) {
    let mut state = shared.lock();
    let waiting = match state.keys.remove(key) {
        Some(Keyed::Starting(waiting)) => waiting,
        _ => Wakers::default(),
    };
    // Before the key is another's, so that a store never has it twice.
    let forgotten = state.forget(ticket);
    drop(state);
    shared.wake_drivers();
    forgotten.into_iter().flatten().chain([waiting]).for_each(Wakers::wake);
}

/// What came of asking for a key.
enum Asked<'a> {
    Known(Ticket),
    Reserved(Reserved<'a>),
}

/// Starts an operation under `key`, unless there is one: see [`Fleet::start`].
pub(super) async fn start<O, F>(fleet: &Fleet, key: Arc<str>, start: impl FnOnce() -> F) -> Result<Ticket>
where
    O: Handle,
    F: IntoFuture<Output = Result<O>>,
{
    let shared = &fleet.shared;
    let mut reserved = match reserve(fleet, &key).await? {
        Asked::Known(ticket) => {
            let number = shared.lock().last_change();
            return shared.durable(number).await.map(|()| ticket);
        }
        Asked::Reserved(reserved) => reserved,
    };
    let begun = begin(&reserved, start).await.and_then(|operation| {
        let entrant = watch::entrant(operation.raw_operation(), How::under(key), shared)?;
        Ok((operation, entrant))
    });
    let (operation, entrant) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            drop(reserved);
            // Else the next process could repeat a start that this one has told has failed.
            let number = shared.lock().last_change();
            drop(shared.durable(number).await);
            return Err(error);
        }
    };
    reserved.is_taken = true;
    let (filled, number) = take_in(&reserved, entrant);
    let ticket = filled?;
    // It has started, and is watched by this process whatever the store says.
    shared.durable(number).await.map_err(|error| error.with_operation(operation.raw_operation()))?;
    Ok(ticket)
}

/// Calls `start`, in a fleet with a store once that is written down.
async fn begin<O, F>(reserved: &Reserved<'_>, start: impl FnOnce() -> F) -> Result<O>
where
    F: IntoFuture<Output = Result<O>>,
{
    let shared = &reserved.fleet.shared;
    if shared.journal.is_none() {
        return start().into_future().await;
    }
    // The intent first: after a crash nobody knows whether the rest has happened.
    let number = shared.lock().last_change();
    shared.durable(number).await?;
    recorded(reserved, start().into_future()).await
}

/// Takes the operation in that has started. Returns the number of that change.
fn take_in(reserved: &Reserved<'_>, entrant: Entrant) -> (Result<Ticket>, Number) {
    let shared = &reserved.fleet.shared;
    let mut state = shared.lock();
    let waiting = state.keys.remove(&reserved.key);
    // Nor is it refused because the fleet was closed meanwhile: it has started.
    let filled = state.fill(reserved.ticket, entrant);
    let number = state.last_change();
    drop(state);
    shared.wake_drivers();
    if let Some(Keyed::Starting(waiting)) = waiting {
        waiting.wake();
    }
    (filled, number)
}

/// Polls a start with each of its calls written down before it is sent.
async fn recorded<O, F: Future<Output = Result<O>>>(reserved: &Reserved<'_>, start: F) -> Result<O> {
    let recorder: Arc<dyn StartRecorder> = Arc::new(Recorder {
        shared: Arc::clone(&reserved.fleet.shared),
        ticket: reserved.ticket,
        key: Arc::clone(&reserved.key),
        began: reserved.began,
    });
    let mut start = pin!(start);
    poll_fn(|context| poll_recorded(&recorder, start.as_mut(), context)).await
}

/// Writes down the calls of a start.
struct Recorder {
    shared: Arc<Shared>,
    ticket: Ticket,
    key: Arc<str>,
    began: SystemTime,
}

impl StartRecorder for Recorder {
    fn record(
        &self,
        client: &Operations,
        method: Option<&'static Method>,
        start_id: Option<&str>,
        record: Result<StartRecord, NotKept>,
    ) -> BoxFuture<'static, Result<()>> {
        let service = self.shared.services.of_client(client);
        let name = method.map_or("", Method::name);
        let known = service.filter(|service| service.has(name));
        let refused = || {
            let what = if service.is_some() { "its method" } else { "its client" };
            let message = format!(
                "the start call was not sent: {what} is of no service of the fleet, so that the operation could not be \
                 polled after a restart: add it with `FleetBuilder::service`"
            );
            Error::new(ErrorKind::InvalidSettings, message)
        };
        let Some(service) = known else { return Box::pin(std::future::ready(Err(refused()))) };
        let request = match record {
            Ok(record) => Request::Kept(Box::new(record)),
            Err(why) => Request::NotKept { why: why.to_string(), start_id: start_id.map(str::to_owned) },
        };
        let call = Call { service: service.name().to_owned(), request };
        let state = self.shared.lock();
        state.write_start(self.ticket, &self.key, self.began, Some(call));
        let number = state.last_change();
        drop(state);
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { shared.durable(number).await })
    }
}

/// Keeps a place and the key, or returns the ticket that the key has.
async fn reserve<'a>(fleet: &'a Fleet, key: &Arc<str>) -> Result<Asked<'a>> {
    poll_fn(|context| {
        let mut state = fleet.shared.lock();
        let (is_closed, is_full) = (state.is_closed, state.is_full());
        match state.keys.get_mut(key) {
            Some(Keyed::Watched(ticket)) => return Poll::Ready(Ok(Asked::Known(*ticket))),
            Some(Keyed::Starting(waiting)) => {
                waiting.register(context.waker());
                return Poll::Pending;
            }
            None if is_closed => {
                let message = "the fleet is closed: nothing was started";
                return Poll::Ready(Err(Error::new(ErrorKind::Closed, message)));
            }
            None if is_full => {
                state.room.register(context.waker());
                return Poll::Pending;
            }
            None => {}
        }
        let (ticket, began) = (state.core.reserve(), fleet.shared.timer.system_time());
        state.set_aside(ticket);
        state.write_start(ticket, key, began, None);
        state.keys.insert(Arc::clone(key), Keyed::Starting(Wakers::default()));
        Poll::Ready(Ok(Asked::Reserved(Reserved { fleet, key: Arc::clone(key), ticket, began, is_taken: false })))
    })
    .await
}
