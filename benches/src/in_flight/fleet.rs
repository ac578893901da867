//! The variant with one driver for all operations: a fleet.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use lro_runtime::{Budget, Fleet, timer::TokioTimer};

use super::{Endless, Operation, ours};

pub fn prepare(service: Arc<Endless>) -> Box<dyn Fn() -> Operation> {
    let images = ours::images(service, TokioTimer);
    // It may ask as much as the loops do, which have no budget.
    let budget = Budget::per_origin(1e9).concurrency(1_000_000);
    let fleet = Fleet::builder().budget(budget).max_operations(usize::MAX).timer(TokioTimer).build().unwrap();
    let has_driver = AtomicBool::new(false);
    Box::new(move || {
        let (images, fleet, has_driver) = (images.clone(), fleet.clone(), has_driver.swap(true, Relaxed));
        Box::pin(async move {
            fleet.try_watch(&images.export_image().await.unwrap()).unwrap();
            if !has_driver {
                fleet.run().await;
            }
        })
    })
}
