//! The variants with our loop, through the public API of an annotated method.

use std::{
    future::poll_fn,
    hint::black_box,
    pin::{Pin, pin},
};

use futures_core::Stream;
use lro_runtime::{Operations, PollSettings, RawOperation, Result, long_running};

use super::{ExportProgress, ExportedImage, Prepared, Variant};
use crate::virtual_time::{Clock, run};

/// A client as an SDK author declares it.
#[derive(Clone)]
pub struct Images {
    pub operations: Operations,
}

#[long_running]
impl Images {
    #[long_running(response = ExportedImage, metadata = ExportProgress)]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}

fn images(transport: Prepared) -> Images {
    let operations = Operations::builder("http://localhost").transport(transport).timer(Clock::new()).build().unwrap();
    Images { operations }
}

/// Returns the variant of most programs: start, wait, take the result. Metadata is not read, and
/// the replies before the last are the same.
pub fn awaited() -> Variant {
    awaiting("ours", Prepared::default())
}

/// Returns the same variant where each reply differs from the one before.
pub fn awaited_while_changing() -> Variant {
    awaiting("ours-changing", Prepared::changing())
}

fn awaiting(name: &'static str, transport: Prepared) -> Variant {
    let images = images(transport);
    let operation = move || {
        let image = run(async {
            let started = images.export_image().await?;
            started.poll_until_completed(PollSettings::default()).await?.into_result()
        });
        black_box(image.unwrap());
    };
    Variant { name, operation: Box::new(operation) }
}

/// Returns the variant in which the metadata of every snapshot is decoded and read.
pub fn reading_metadata() -> Variant {
    let images = images(Prepared::default());
    let operation = move || {
        let image = run(async {
            let started = images.export_image().await?;
            let mut snapshots = pin!(started.snapshots(PollSettings::default()));
            let mut last = None;
            while let Some(snapshot) = poll_fn(|context| Pin::new(&mut snapshots).poll_next(context)).await {
                let snapshot = snapshot?;
                black_box(snapshot.metadata().unwrap().map(|progress| progress.percent));
                last = Some(snapshot);
            }
            last.unwrap().into_result()
        });
        black_box(image.unwrap());
    };
    Variant { name: "ours-metadata-read", operation: Box::new(operation) }
}
