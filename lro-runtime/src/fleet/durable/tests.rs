//! A process that dies between any two effects: what it was told is durable is there in the next,
//! and what it was told is over does not come again.

mod disk;
mod world;

use std::collections::BTreeSet;

use self::world::{Death, World};
use super::super::{journal::Keep, store::Table};

/// How many effects a process has until everything is over, if it does not die.
fn effects(keep: Keep, has_ids: bool) -> (usize, usize) {
    let mut world = World::new(keep, has_ids);
    let process = world.run(None);
    assert!(process.is_over, "without a death one process is enough");
    world.check();
    (process.effects.len(), world.polls())
}

#[test]
fn whatever_a_process_dies_at_nothing_is_lost_and_nothing_comes_again() {
    let mut kinds = BTreeSet::new();
    let mut hit = BTreeSet::new();
    let mut deaths = 0;
    for keep in [Keep::Nothing, Keep::Status, Keep::Body] {
        for has_ids in [true, false] {
            let (count, polls) = effects(keep, has_ids);
            for at in 0..count {
                for death in [Death::Before(at), Death::After(at)] {
                    let mut world = World::new(keep, has_ids);
                    let died = world.run(Some(death));
                    kinds.extend(died.effects.iter().cloned());
                    assert!(!died.is_over, "{death:?} of {count}");
                    hit.extend(died.effects.last().cloned());
                    let in_flight = died.in_flight;
                    for _ in 0..3 {
                        if world.run(None).is_over {
                            break;
                        }
                    }
                    world.check();
                    // What was in flight is asked again, and what was not noted; and an operation
                    // whose wait has expired has one last look.
                    let most = polls + in_flight + world::OPERATIONS;
                    assert!(world.polls() <= most, "{death:?}: {} polls, {polls} without a death", world.polls());
                    deaths += 1;
                }
            }
        }
    }
    assert_eq!(kinds, hit, "a process has died at an effect of each kind");
    println!("{deaths} deaths at effects of {} kinds: {kinds:?}", kinds.len());
    for table in Table::ALL {
        assert!(kinds.iter().any(|kind| kind.contains(table.name())), "{table:?} is written to");
    }
}

#[test]
fn processes_that_die_one_after_the_other_lose_nothing_either() {
    let (count, _) = effects(Keep::Body, true);
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut world = World::new(Keep::Body, rng.bool());
        for _ in 0..rng.u8(2..8) {
            let at = rng.usize(..count / 3);
            world.run(Some(if rng.bool() { Death::Before(at) } else { Death::After(at) }));
        }
        for _ in 0..3 {
            if world.run(None).is_over {
                break;
            }
        }
        world.check();
    }
}

#[test]
fn what_is_over_leaves_nothing_in_the_store() {
    let mut world = World::new(Keep::Body, true);
    world.run(None);
    assert_eq!(world.disk.count(&[Table::Live, Table::Amendments, Table::Outcomes]), 0);
    assert_eq!(world.disk.count(&[Table::Fleet]), 2);
}
