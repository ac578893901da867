//! The variants with the poller of google-cloud-lro, and the closures that its generated clients
//! give it.

use std::{hint::black_box, sync::Arc};

use bytes::Bytes;
use google_cloud_gax::{
    error::Error, exponential_backoff::ExponentialBackoffBuilder, polling_error_policy::AlwaysContinue,
};
use google_cloud_longrunning::model;
use google_cloud_lro::{
    Poller, PollingResult,
    internal::{Operation, new_poller},
};
use google_cloud_wkt::message::Message;
use lro_runtime::{Transport, transport::Request};

use super::{ExportProgress, ExportedImage, Prepared, RUNNING, SUCCEEDED, Variant};
use crate::virtual_time::run;

impl Message for ExportProgress {
    fn typename() -> &'static str {
        "type.googleapis.com/example.ExportProgress"
    }
}

impl Message for ExportedImage {
    fn typename() -> &'static str {
        "type.googleapis.com/example.ExportedImage"
    }
}

type Answer = Result<Operation<ExportedImage, ExportProgress>, Error>;

/// Returns the variant that parses the same texts as the other variants.
pub fn text() -> Variant {
    let transport = Arc::new(Prepared::default());
    let operation = move || {
        let (start, query) = (Arc::clone(&transport), Arc::clone(&transport));
        drive(new_poller(
            Arc::new(AlwaysContinue),
            Arc::new(ExponentialBackoffBuilder::default().build().unwrap()),
            move || async move { send(&start).await },
            move |_name| {
                let transport = Arc::clone(&query);
                async move { send(&transport).await }
            },
        ));
    };
    Variant { name: "google-cloud-lro", operation: Box::new(operation) }
}

/// Returns the variant that clones replies parsed beforehand: the cost of the loop without parsing.
pub fn prepared() -> Variant {
    let [running, succeeded] = [RUNNING, SUCCEEDED].map(|text| {
        let parsed: model::Operation = serde_json::from_str(text).unwrap();
        parsed
    });
    let transport = Arc::new(Prepared::default());
    let operation = move || {
        let next = {
            let (running, succeeded, transport) = (running.clone(), succeeded.clone(), Arc::clone(&transport));
            move || if transport.next() == RUNNING { running.clone() } else { succeeded.clone() }
        };
        let (start, query) = (next.clone(), next);
        drive(new_poller(
            Arc::new(AlwaysContinue),
            Arc::new(ExponentialBackoffBuilder::default().build().unwrap()),
            move || std::future::ready(Answer::Ok(Operation::new(start()))),
            move |_name| std::future::ready(Answer::Ok(Operation::new(query()))),
        ));
    };
    Variant { name: "google-cloud-lro-reply-parsed-before", operation: Box::new(operation) }
}

/// Runs the peer's loop without its sleeps, which need tokio: calls `poll` until it returns `None`.
fn drive(mut poller: impl Poller<ExportedImage, ExportProgress>) {
    run(async {
        while let Some(result) = poller.poll().await {
            match result {
                PollingResult::InProgress(metadata) => drop(black_box(metadata)),
                PollingResult::Completed(image) => drop(black_box(image.unwrap())),
                PollingResult::PollingError(error) => panic!("{error}"),
            }
        }
    });
}

async fn send(transport: &dyn Transport) -> Answer {
    let request = Request::new(Bytes::new());
    let reply = transport.send(&request, 16 << 20).await.map_err(Error::io)?;
    serde_json::from_slice(reply.body()).map(Operation::new).map_err(Error::deser)
}
