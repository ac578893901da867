//! Tests of the declared types of known services: their documented messages, and their ids.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{WireOperation, bigquery, cloud_sql, gke, meilisearch, openai, replicate};
use crate::{
    dialect::{Coverage, Cursor, Declared, Dialect, Options, Shows},
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

/// Returns the cursor of the operation that this message begins.
fn started(dialect: Declared, message: &str) -> Cursor {
    let mut request = Request::new(bytes::Bytes::new());
    *request.uri_mut() = "https://api.test/x".parse().unwrap();
    let reply = Reply::new(message.to_owned().into());
    let seen = dialect.read_start(&request, &reply, &[]).unwrap();
    let cursor = seen.cursor.unwrap();
    assert_eq!(dialect.locate(&seen.name.unwrap(), &[]).unwrap(), cursor);
    cursor
}

/// Returns the list that covers the operation of this message, after proving that the operation is
/// found there, and what the list shows.
fn swept<T: WireOperation>(message: &str, page: &str) -> (String, Shows) {
    let dialect = Declared::of::<T>();
    let cursor = started(dialect, message);
    let Some(Coverage::Sweep(sweep)) = dialect.coverage(&cursor, &[]) else { panic!("{cursor:?} is not swept") };
    assert!(sweep.whole);
    let reply = Reply::new(page.replace("{}", message).into());
    let listed = dialect.read_list(&sweep.query, &reply).unwrap().operations.remove(0).seen.unwrap();
    assert_eq!(listed.cursor.unwrap(), cursor);
    (dialect.list(&sweep.query).unwrap().target, sweep.shows)
}

#[test]
fn operations_are_swept_by_the_lists_that_their_services_document() {
    let batch = swept::<openai::Batch>(r#"{"id":"batch_1","status":"in_progress"}"#, r#"{"data":[{}]}"#);
    assert_eq!(batch, ("batches?limit=100".to_owned(), Shows::All));
    let operation = r#"{"name":"o","targetProject":"p","status":"RUNNING"}"#;
    let list = "v1/projects/p/operations?maxResults=500&filter=status%20%21%3D%20DONE";
    assert_eq!(swept::<cloud_sql::Operation>(operation, r#"{"items":[{}]}"#), (list.to_owned(), Shows::Running));
    for place in ["zones/z", "locations/r"] {
        let link = format!("https://container.googleapis.com/v1/projects/7/{place}/operations/o");
        let operation = format!(r#"{{"name":"o","status":"RUNNING","selfLink":"{link}"}}"#);
        let list = swept::<gke::Operation>(&operation, r#"{"operations":[{}]}"#);
        assert_eq!(list, (format!("v1/projects/7/{place}/operations"), Shows::All));
    }
}

#[test]
fn tasks_of_meilisearch_are_asked_for_by_number() {
    const PATH: &Options = &[("path", "tasks/{name}?x=1")];
    let dialect = Declared::of::<meilisearch::Task>();
    let tasks = ["17", "4", "9"].map(|uid| started(dialect, &format!(r#"{{"taskUid":{uid},"status":"enqueued"}}"#)));
    let Some(Coverage::Named(named)) = dialect.coverage(&tasks[0], &[]) else { panic!("not named") };
    assert_eq!((named.place.as_str(), named.most, named.whole), ("tasks", 500, true));
    assert_eq!(dialect.coverage(&tasks[1], &[]), Some(Coverage::Named(named)));
    let elsewhere = dialect.locate("9", PATH).unwrap();
    let cursors = [&tasks[0], &tasks[1], &elsewhere];
    assert_eq!(dialect.poll_named(&cursors).unwrap().target, "tasks?limit=3&uids=17,4,9");
    // The service answers the latest first, and leaves out what it does not have.
    let page = r#"{"results":[{"uid":17,"status":"succeeded"},{"uid":9,"status":"processing"},{"uid":1,"status":"x"}],
        "total":3,"limit":3,"from":17,"next":1}"#;
    let reply = Reply::new(page.into());
    let page = dialect.read_named(&cursors, &reply).unwrap();
    assert_eq!(page.next_page_token, "");
    let seen: Vec<_> = page.operations.into_iter().map(|entry| entry.seen.unwrap()).collect();
    let states: Vec<_> = seen.iter().map(|seen| seen.state).collect();
    assert_eq!(states, [State::Succeeded, State::Running, State::Running]);
    let at = |index: usize| seen[index].cursor.clone().unwrap();
    assert_eq!((at(0), at(1), at(2)), (tasks[0].clone(), elsewhere, Cursor::new("1")));
}

#[test]
fn names_that_one_call_cannot_take_are_polled_alone() {
    let dialect = Declared::of::<meilisearch::Task>();
    let task = dialect.locate("17", &[]).unwrap();
    for name in ["1,2", "a/b"] {
        let other = dialect.locate(name, &[]).unwrap();
        assert_eq!(dialect.coverage(&other, &[]), None, "{name}");
        let error = dialect.poll_named(&[&task, &other]).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}` cannot be asked for together")), "{error}");
    }
    assert!(dialect.poll_named(&[]).is_err(), "it would ask for every task");
    let batches = Declared::of::<openai::Batch>();
    assert!(batches.poll_named(&[&task]).unwrap_err().to_string().contains("declares no list call that takes"));
    let job = Declared::of::<bigquery::Job>();
    let cursor = job.locate("projects/p/locations/EU/jobs/j", &[]).unwrap();
    assert_eq!(job.coverage(&cursor, &[]), None, "its list leaves out what its polls have");
}
