//! Tests of the declared types of known services: their documented messages, and their ids.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{WireOperation, bigquery, cloud_sql, gke, meilisearch, openai, replicate};
use crate::{
    dialect::{Declared, Dialect},
    message::{Reply, Request},
    status::State,
};

/// Returns the JSON example in the documentation of the type `of` in `source`.
fn shown(source: &str, of: &str) -> String {
    let before = source.split(&format!("pub struct {of} {{")).next().unwrap();
    let example = before.rsplit("/// ```json").next().unwrap().split("/// ```").next().unwrap();
    example.lines().map(|line| line.trim_start_matches("///").trim()).collect()
}

/// Returns the state of the JSON example in the documentation of `T`, and checks that `T` itself
/// can be deserialised from it.
fn state<T: WireOperation + DeserializeOwned>(source: &str) -> State {
    let name = std::any::type_name::<T>().rsplit("::").next().unwrap();
    let message = shown(source, name);
    serde_json::from_str::<&RawValue>(&message).unwrap_or_else(|error| panic!("{name}: {error} in {message}"));
    serde_json::from_str::<T>(&message).unwrap_or_else(|error| panic!("{name}: {error} in {message}"));
    let mut request = Request::new(bytes::Bytes::new());
    *request.uri_mut() = "https://api.test/x".parse().unwrap();
    let reply = Reply::new(message.into());
    Declared::of::<T>().read_start(&request, &reply, &[]).unwrap().state
}

#[test]
fn the_messages_that_the_documentation_shows_are_read() {
    let openai = include_str!("openai.rs");
    assert_eq!(state::<openai::Response>(openai), State::Running);
    assert_eq!(state::<openai::Batch>(openai), State::Running);
    assert_eq!(state::<openai::FineTuningJob>(openai), State::Running);
    assert_eq!(state::<openai::Run>(openai), State::Running);
    assert_eq!(state::<openai::Video>(openai), State::Running);
    let replicate = include_str!("replicate.rs");
    assert_eq!(state::<replicate::Prediction>(replicate), State::Succeeded);
    assert_eq!(state::<replicate::Training>(replicate), State::Running);
    assert_eq!(state::<meilisearch::Task>(include_str!("meilisearch.rs")), State::Running);
    assert_eq!(state::<gke::Operation>(include_str!("gke.rs")), State::Running);
    assert_eq!(state::<cloud_sql::Operation>(include_str!("cloud_sql.rs")), State::Failed);
    assert_eq!(state::<bigquery::Job>(include_str!("bigquery.rs")), State::Running);
}

#[test]
fn ids_tell_the_types_apart() {
    let mut ids = vec![
        openai::Response::SHAPE.id(),
        openai::Batch::SHAPE.id(),
        openai::FineTuningJob::SHAPE.id(),
        openai::Run::SHAPE.id(),
        openai::Video::SHAPE.id(),
        replicate::Prediction::SHAPE.id(),
        replicate::Training::SHAPE.id(),
        meilisearch::Task::SHAPE.id(),
        gke::Operation::SHAPE.id(),
        cloud_sql::Operation::SHAPE.id(),
        bigquery::Job::SHAPE.id(),
    ];
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    assert!(ids.iter().all(|id| id.starts_with("declared:")));
}
