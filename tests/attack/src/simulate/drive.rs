//! A single thread that polls futures, moves the clock when none can go on, and gives up on a
//! future at any await.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use lro_runtime::transport::BoxFuture;

use super::{
    promises::{Promise, broken, holds},
    world::World,
};

/// How long a future is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// To its end.
    End,
    /// It is dropped after so many polls.
    Drop(u32),
    /// It is kept, and not polled again, after so many polls.
    Keep(u32),
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Task<'a, T> {
    future: Option<BoxFuture<'a, T>>,
    patience: Patience,
    flag: Arc<Flag>,
    polls: u32,
    output: Option<T>,
}

/// How often tasks may be polled while no time passes and no request is sent. Each of a task's own
/// steps between two requests is one, and there are a few of them.
const MOST_POLLS_AT_REST: usize = 24;

/// Polls the futures in any order until all those that are polled to their end have ended. Returns
/// their outputs; `None` for one that was given up.
pub(super) fn drive<T>(world: &World, tasks: Vec<(BoxFuture<'_, T>, Patience)>) -> Vec<Option<T>> {
    let mut tasks: Vec<_> = tasks
        .into_iter()
        .map(|(future, patience)| Task {
            future: Some(future),
            patience,
            flag: Arc::new(Flag(AtomicBool::new(true))),
            polls: 0,
            output: None,
        })
        .collect();
    let mut at_rest = 0;
    let mut seen = (world.now(), 0);
    let most = MOST_POLLS_AT_REST * (tasks.len() + 1);
    loop {
        let awaited = |task: &Task<'_, T>| task.future.is_some() && !matches!(task.patience, Patience::Keep(_));
        if !tasks.iter().any(awaited) {
            break;
        }
        let is_ready = |task: &Task<'_, T>| {
            task.future.is_some()
                && task.flag.0.load(Ordering::Relaxed)
                && !matches!(task.patience, Patience::Keep(most) if task.polls >= most)
        };
        let ready: Vec<_> = (0..tasks.len()).filter(|at| tasks.get(*at).is_some_and(is_ready)).collect();
        if ready.is_empty() {
            holds(Promise::WakesAndNeverSpins, world.sleep(), || {
                "all tasks wait, and nothing will wake them".to_owned()
            });
            continue;
        }
        let chosen = world.pick(&ready, 0);
        let Some(task) = tasks.get_mut(chosen) else { break };
        let Some(future) = &mut task.future else { break };
        task.flag.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.flag));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        task.polls += 1;
        if let Poll::Ready(output) = polled {
            (task.future, task.output) = (None, Some(output));
        } else if matches!(task.patience, Patience::Drop(most) if task.polls >= most) {
            world.tell(|| format!("future {chosen} is dropped"));
            task.future = None;
        }
        let state = (world.now(), world.lock().sent.len());
        at_rest = if state == seen { at_rest + 1 } else { 0 };
        seen = state;
        if at_rest > most {
            broken(Promise::WakesAndNeverSpins, "tasks are woken, and neither time nor a request comes of it");
        }
    }
    tasks.into_iter().map(|task| task.output).collect()
}
