//! The object `LroGroup`: a group of operations, whose key is the lock.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use lro_runtime::Ticket;
use restate_sdk::{context::RequestTarget, prelude::*};

use crate::{
    budget::Lease,
    digest::{Digest, Head},
    fail,
    groups::{Groups, service_of},
    kept::{Chunk, Kept, slot_of},
    meta::{self, Meta},
    turn::{Act, Look, Watch, Watched, turn},
};

/// How much sooner something must be due than the tick that is awaited, in milliseconds, for
/// another tick to be worth it.
const SOONER: u64 = 50;

/// The longest delay of a tick. Restate takes longer ones; they have had bugs, and one tick a month
/// costs nothing.
const LONGEST_DELAY: Duration = Duration::from_secs(30 * 86_400);

/// A virtual object for each group of operations.
pub(crate) struct LroGroup {
    groups: Groups,
}

impl LroGroup {
    pub(crate) fn new(groups: Groups) -> Self {
        Self { groups }
    }

    /// Has one turn, whose digest is journaled: when the handler is run again, the turn is not.
    /// What is read of the state before depends on nothing that another process could not know.
    async fn digest(&self, ctx: &ObjectContext<'_>, meta: &Meta, act: Act) -> HandlerResult<Digest> {
        let (inner, group) = (Arc::clone(&self.groups.inner), ctx.key().to_owned());
        let (of, to_do) = (meta.clone(), act.clone());
        let digest = ctx
            .run(move || async move {
                fail::at("turn");
                let Some(warm) = inner.take_warm(&group, &of) else {
                    return Ok(Digest { head: Head { is_cold: true, ..Head::default() }, changes: Vec::new() });
                };
                Ok(turn(&inner, &group, &of, warm.fleet, warm.kept, to_do).await?)
            })
            .name("turn")
            .await?;
        if !digest.head.is_cold {
            return Ok(digest);
        }
        let mut chunks = Vec::new();
        for chunk in Chunk::all(meta) {
            let name = chunk.name().ok_or("the state names a chunk that cannot be")?;
            let bytes = ctx.get::<Bytes>(name).await?.ok_or("a chunk of the state is missing")?;
            chunks.push((chunk, bytes));
        }
        fail::at("read");
        let (inner, group, of) = (Arc::clone(&self.groups.inner), ctx.key().to_owned(), meta.clone());
        let digest = ctx
            .run(move || async move {
                fail::at("cold turn");
                let kept = Arc::new(Kept::read_from(&of, &chunks)?);
                let fleet = inner.fleet(&group, &kept)?;
                Ok(turn(&inner, &group, &of, fleet, kept, act).await?)
            })
            .name("cold turn")
            .await?;
        Ok(digest)
    }

    /// Carries out what a turn has said: the state, the completions, the next tick.
    fn apply(&self, ctx: &ObjectContext<'_>, before: &Meta, digest: Digest, is_tick: bool) -> Head {
        let Digest { mut head, changes } = digest;
        fail::at("digest");
        for (key, value) in changes {
            match value {
                Some(value) => ctx.set(&key, value),
                None => ctx.clear(&key),
            }
        }
        fail::at("state");
        for ended in head.ended.drain(..) {
            // Unique for ever: a ticket is never of another operation.
            let id = format!("{}#{}", ctx.key(), u64::from(ended.ticket));
            let key = ended.key.clone().unwrap_or_else(|| ended.name.clone());
            if let Some(target) = self.groups.inner.target(&key) {
                drop(ctx.request::<_, ()>(target, Json(ended)).idempotency_key(id).send());
                fail::at("completion");
            }
        }
        let at = head.due_in.map(|due| head.at.saturating_add(due));
        let is_sooner = match (at, before.tick_at) {
            (Some(at), Some(awaited)) => at.saturating_add(SOONER) < awaited,
            (at, None) => at.is_some(),
            (None, Some(_)) => false,
        };
        if is_tick || is_sooner {
            schedule(ctx, &mut head.meta, head.at, head.due_in);
        }
        fail::at("tick sent");
        ctx.set(meta::KEY, Json(head.meta.clone()));
        if head.pause > 0 {
            let until = head.at.saturating_add(head.pause);
            budget(ctx, "pause", until);
        }
        head
    }

    async fn meta(ctx: &ObjectContext<'_>) -> HandlerResult<Meta> {
        Ok(ctx.get::<Json<Meta>>(meta::KEY).await?.unwrap_or_default().into_inner())
    }

    async fn act(&self, ctx: &ObjectContext<'_>, act: Act) -> HandlerResult<Head> {
        let meta = Self::meta(ctx).await?;
        let digest = self.digest(ctx, &meta, act).await?;
        let head = self.apply(ctx, &meta, digest, false);
        match head.refused {
            Some(why) => Err(TerminalError::new_with_code(400, why).into()),
            None => Ok(head),
        }
    }
}

/// Sends the next tick, in so many milliseconds; those that were sent before are stale.
fn schedule(ctx: &ObjectContext<'_>, meta: &mut Meta, now: u64, due_in: Option<u64>) {
    meta.sequence += 1;
    meta.tick_at = due_in.map(|due| now.saturating_add(due));
    if let Some(due) = due_in {
        let delay = Duration::from_millis(due).min(LONGEST_DELAY);
        let target = RequestTarget::object("LroGroup", ctx.key(), "tick");
        drop(ctx.request::<_, ()>(target, meta.sequence).send_after(delay));
    }
}

/// Tells the budget of the group's service something, and does not wait.
fn budget(ctx: &ObjectContext<'_>, handler: &str, number: u64) {
    let target = RequestTarget::object("LroBudget", service_of(ctx.key()), handler);
    drop(ctx.request::<_, ()>(target, number).send());
}

#[restate_sdk::object(
    name = "LroGroup",
    client_visibility = "pub(crate)",
    lazy_state,
    inactivity_timeout = "5m",
    abort_timeout = "1m",
    journal_retention = "0s"
)]
impl LroGroup {
    /// Watches operations. Each is watched, or refused, on its own.
    #[handler]
    async fn watch(&self, ctx: ObjectContext<'_>, watches: Json<Vec<Watch>>) -> HandlerResult<Json<Vec<Watched>>> {
        Ok(Json(self.act(&ctx, Act::Watch(watches.into_inner())).await?.watched))
    }

    /// Polls what is due, if it is the tick that is awaited.
    #[handler]
    async fn tick(&self, ctx: ObjectContext<'_>, sequence: u64) -> HandlerResult<()> {
        fail::at("begun");
        let meta = Self::meta(&ctx).await?;
        if sequence != meta.sequence {
            return Ok(());
        }
        let inner = &self.groups.inner;
        let service = service_of(ctx.key());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number, or all of them")]
        let of_turn = (inner.rate(service) * inner.turn.as_secs_f64().max(1.0)).ceil() as u64;
        // A list call, and a poll of each at most.
        let want = of_turn.min(meta.operations.saturating_add(1));
        let target = RequestTarget::object("LroBudget", service, "lease");
        let lease: Lease = ctx.request::<_, Json<Lease>>(target, want).call().await?.into_inner();
        fail::at("leased");
        if lease.requests == 0 {
            // Deadlines have a turn as well, and no requests.
            let digest = self.digest(&ctx, &meta, Act::Tick { requests: 0 }).await?;
            let mut digest = digest;
            digest.head.due_in = digest.head.due_in.map(|due| due.max(lease.wait));
            self.apply(&ctx, &meta, digest, true);
            return Ok(());
        }
        let digest = self.digest(&ctx, &meta, Act::Tick { requests: lease.requests }).await?;
        let head = self.apply(&ctx, &meta, digest, true);
        let unused = lease.requests.saturating_sub(head.requests);
        if unused > 0 {
            budget(&ctx, "give_back", unused);
        }
        fail::at("done");
        Ok(())
    }

    /// Forgets an operation: it goes on at the service, and no completion comes. Returns whether
    /// there was one.
    #[handler]
    async fn remove(&self, ctx: ObjectContext<'_>, ticket: Json<Ticket>) -> HandlerResult<bool> {
        Ok(self.act(&ctx, Act::Remove(ticket.into_inner())).await?.is_known)
    }

    /// Has the service asked to cancel an operation. Whether it was cancelled its completion says.
    /// Returns whether there was one.
    #[handler]
    async fn cancel(&self, ctx: ObjectContext<'_>, ticket: Json<Ticket>) -> HandlerResult<bool> {
        Ok(self.act(&ctx, Act::Cancel(ticket.into_inner())).await?.is_known)
    }

    /// Returns what is known of an operation, without waiting for a turn that is under way.
    #[handler]
    async fn look(&self, ctx: SharedObjectContext<'_>, ticket: Json<Ticket>) -> HandlerResult<Json<Option<Look>>> {
        let ticket = ticket.into_inner();
        let meta = ctx.get::<Json<Meta>>(meta::KEY).await?.unwrap_or_default().into_inner();
        let mut chunks = Vec::new();
        for chunk in Chunk::of_slot(slot_of(ticket.into())) {
            if let Some(name) = chunk.name()
                && let Some(bytes) = ctx.get::<Bytes>(name).await?
            {
                chunks.push((chunk, bytes));
            }
        }
        let kept = Arc::new(Kept::read_from(&meta, &chunks)?);
        let operation = self.groups.inner.fleet(ctx.key(), &kept)?.snapshot(ticket);
        Ok(Json(operation.map(|operation| Look { name: operation.name().to_owned(), token: operation.token() })))
    }
}
