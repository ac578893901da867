//! Plays histories of the model: all of them up to a length, or one at random.

use std::{collections::HashSet, sync::Arc};

use super::{
    model::{Action, Model},
    world::Service,
};
use crate::round::Counts;

/// Plays every history of up to `depth` actions and checks each.
///
/// Histories that look the same from outside are continued once: what a wait does next can depend
/// on nothing else, unless it keeps something that was never seen to matter.
pub(super) fn all_histories(service: Service, depth: usize) -> Counts {
    let model = Model::new(service);
    let actions = Action::all();
    let (mut counts, mut known, mut frontier) = (Counts::default(), HashSet::new(), vec![vec![]]);
    for _ in 0..depth {
        let mut longer = vec![];
        for history in frontier {
            for action in &actions {
                let mut history = history.clone();
                history.push(*action);
                if !play(&model, &history) {
                    continue;
                }
                if known.insert(model.outlook()) {
                    longer.push(history.clone());
                }
                check(&model, &history, &mut counts);
            }
        }
        frontier = longer;
    }
    counts.add("outlooks", known.len() as u64);
    counts
}

/// Plays one history of `length` actions, and checks it.
pub(super) fn random_history(service: Service, length: usize, random: &mut fastrand::Rng) -> Counts {
    let model = Model::new(service);
    let actions = Action::all();
    let history: Vec<_> = (0..length).filter_map(|_| random.choice(&actions).copied()).collect();
    let mut counts = Counts::default();
    check(&model, &history, &mut counts);
    counts
}

/// Plays a history from the beginning. Returns whether its last action was possible.
fn play(model: &Arc<Model>, history: &[Action]) -> bool {
    model.begin();
    history.iter().fold(true, |_, action| model.act(*action))
}

/// Checks a history: played to its end by each waiter alone, while all others are held, and by all
/// together.
///
/// # Panics
///
/// If it breaks a promise.
fn check(model: &Arc<Model>, history: &[Action], counts: &mut Counts) {
    play(model, history);
    let all = model.waiting();
    let alone = all.iter().map(std::slice::from_ref);
    let together = (all.len() != 1).then_some(&*all);
    for live in alone.chain(together) {
        play(model, history);
        model.finish(live);
        let (requests, steps) = model.effort();
        model.end();
        let faults = model.faults();
        assert!(faults.is_empty(), "{faults:#?} after {history:?}, then {live:?} alone are polled when woken");
        counts.add("requests", requests);
        counts.add("steps", steps);
    }
    counts.add("histories", 1);
}
