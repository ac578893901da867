//! One turn of a group: its fleet is made from its state, or taken from memory, does something, is
//! driven while something is due, and says what has changed. Nothing here knows of Restate.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lro_runtime::{
    Fleet, PollSettings, Result, Ticket, Token,
    fleet::{PauseReason, Priority},
};
use serde::{Deserialize, Serialize};

use crate::{
    digest::{Digest, Head},
    ended::Ended,
    fail,
    groups::{Inner, service_of},
    kept::Kept,
    meta::Meta,
};

/// An operation to be watched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Watch {
    /// Its token, such as `operation.token()`.
    pub token: Token,
    /// A name of the caller's own for the work. An operation under a key that the group has already
    /// is not watched a second time. Default: the name of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When to poll and until when, where it is not as the method or the client says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<PollSettings>,
    /// Whether its polls go before those of others.
    #[serde(default)]
    pub is_urgent: bool,
}

impl Watch {
    /// Watches the operation of this token, under its name and as its method says.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self { token, key: None, settings: None, is_urgent: false }
    }
}

/// What became of a [`Watch`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// It is watched: durably, by whichever machine.
    Ticket(Ticket),
    /// It is not, and why.
    Refused(String),
}

/// What is known of an operation, without a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Look {
    /// Its name.
    pub name: String,
    /// Its token.
    pub token: Token,
}

/// What a turn is for.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// To send so many requests at most, of those that are due.
    Tick {
        requests: u64,
    },
    Watch(Vec<Watch>),
    Remove(Ticket),
    Cancel(Ticket),
}

/// Returns the time in milliseconds since 1970.
pub(crate) fn now() -> u64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Has one turn.
///
/// # Errors
///
/// When the state cannot be read: another version may.
pub(crate) async fn turn(
    inner: &Inner,
    group: &str,
    meta: &Meta,
    fleet: Fleet,
    kept: Arc<Kept>,
    act: Act,
) -> Result<Digest> {
    let before = requests(&fleet);
    let mut head = Head { is_known: true, meta: meta.clone(), ..Head::default() };
    let mut for_tick = None;
    match act {
        Act::Tick { requests } => for_tick = Some(requests),
        Act::Watch(watches) => {
            for watch in watches {
                head.watched.push(match watch_one(inner, group, &fleet, watch) {
                    Ok(ticket) => Watched::Ticket(ticket),
                    Err(why) => Watched::Refused(why),
                });
            }
        }
        Act::Remove(ticket) => head.is_known = fleet.remove(ticket),
        Act::Cancel(ticket) => match fleet.cancel(ticket) {
            Ok(is_known) => head.is_known = is_known,
            Err(error) => head.refused = Some(error.to_string()),
        },
    }
    if let Some(requests) = for_tick {
        // What is still in flight at the limit is given up, and due again.
        drop(tokio::time::timeout(inner.limit, fleet.run_within(inner.turn, requests)).await);
    }
    fail::at("polled");
    let mut completions = fleet.completions();
    while let Some(completion) = completions.try_next() {
        head.ended.push(Ended::of(group, &completion));
        // It is told with this turn, or the turn has not been.
        completion.ack().await?;
    }
    let due = fleet.run_for(Duration::ZERO).await;
    head.at = now();
    head.due_in = due.map(millis);
    head.requests = requests(&fleet) - before;
    let pauses = fleet.health().origins.into_iter().filter_map(|origin| origin.pause);
    let asked = pauses.filter(|pause| matches!(pause.why, PauseReason::Throttled | PauseReason::Down));
    head.pause = asked.filter_map(|pause| pause.left).max().map_or(0, millis);
    let changes = kept.changes(&mut head.meta);
    head.meta.version += 1;
    head.meta.mark = fastrand::u64(..);
    if fleet.recovered().unbound.is_empty() {
        inner.put_warm(group, fleet, kept, &head.meta);
    } else {
        // Another deployment may have the service.
        let again = millis(Duration::from_secs(60));
        head.due_in = Some(head.due_in.map_or(again, |due| due.min(again)));
    }
    let changes = changes.into_iter().filter_map(|(chunk, bytes)| Some((chunk.name()?.to_owned(), bytes))).collect();
    Ok(Digest { head, changes })
}

fn watch_one(inner: &Inner, group: &str, fleet: &Fleet, watch: Watch) -> Result<Ticket, String> {
    let Watch { token, key, settings, is_urgent } = watch;
    let name = service_of(group);
    let Some(service) = inner.services.iter().find(|service| service.name() == name) else {
        return Err(format!("there is no service `{name}`, with whose name the group `{group}` begins"));
    };
    let operation = service.resume(token).map_err(|error| error.to_string())?;
    let key = key.unwrap_or_else(|| operation.name().to_owned());
    let priority = if is_urgent { Priority::Urgent } else { Priority::Normal };
    let watch = fleet.watch(&operation).key(key).priority(priority).poll_settings(settings.unwrap_or_default());
    watch.try_now().map_err(|error| error.to_string())
}

/// Returns how many requests a fleet has sent.
fn requests(fleet: &Fleet) -> u64 {
    fleet.health().origins.iter().map(|origin| origin.requests).sum()
}
