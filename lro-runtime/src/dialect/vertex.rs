//! The dialect of Vertex AI's long-running predictions, which are polled with a custom verb of
//! their model.

use std::{borrow::Cow, time::Duration};

use http::Method;

use super::{Call, Cursor, Dialect, Google, ListPage, ListQuery, Observation, Options};
use crate::{
    dialect::encode_name,
    message::{Reply, Request},
    status::Failure,
};

/// Vertex AI's long-running predictions, such as video generation: `google.longrunning` operations
/// that are polled with `POST v1/{model}:fetchPredictOperation`
/// ([reference](https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models/fetchPredictOperation)).
///
/// Operations of the Gemini API need no dialect of their own: use [`Google`] with the path
/// `v1beta/{name}`.
///
/// Each operation is polled alone: the service documents no list of predictions, only the call that
/// fetches one.
#[derive(Clone, Debug, Default)]
pub struct Vertex {
    google: Google,
}

/// The text between a model's name and the operation's id: `…/models/veo/operations/7`.
const OPERATIONS: &str = "/operations/";

impl Vertex {
    /// Returns the dialect with the path `v1/{name}`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the path below the base URL, in which `{name}` stands for the model's name in a poll
    /// and for the operation's name in every other call. Default: `v1/{name}`.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.google = self.google.with_path(path);
        self
    }
}

/// Returns the model's name: the part of an operation's name before `/operations/`.
fn model_of(name: &str) -> Result<&str, Failure> {
    let model = name.split_once(OPERATIONS).map(|(model, _)| model).filter(|model| !model.is_empty());
    model.ok_or_else(|| {
        let shown = crate::text::excerpt(name.as_bytes());
        Failure::protocol(format!(
            "`{shown}` is not the name of a model's operation: expected `…/models/…/operations/…`"
        ))
    })
}

impl Dialect for Vertex {
    fn id(&self) -> &'static str {
        "vertex"
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        self.google.read_start(request, reply, options)
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        model_of(name)?;
        self.google.locate(name, options)
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        // Only the model's name goes into the path. Without this check the rest of the name would
        // go unchecked into the body.
        encode_name(cursor.key())?;
        let model = cursor.clone().at(model_of(cursor.key())?);
        let body = serde_json::json!({ "operationName": cursor.key() }).to_string();
        Ok(Call::new(Method::POST, self.google.path_to(&model, ":fetchPredictOperation")?).with_json(body))
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        self.google.read(cursor, reply)
    }

    fn reads_the_same(&self, reply: &Reply) -> bool {
        self.google.reads_the_same(reply)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.google.cancel(cursor)
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.google.delete(cursor)
    }

    fn wait(&self, _cursor: &Cursor, _timeout: Duration) -> Result<Call, Failure> {
        Err(Failure::unsupported("predictions have no wait call"))
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        self.google.list(query)
    }

    fn read_list<'a>(&self, query: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        self.google.read_list(query, reply)
    }
}
