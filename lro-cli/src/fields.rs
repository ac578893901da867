//! The fraction done and the message, where a service has them in members of its metadata that no
//! dialect knows: `--percent` and `--message` name them.

use std::{borrow::Cow, sync::Arc, time::Duration};

use lro_runtime::{
    Dialect, Failure,
    dialect::{Call, Coverage, Cursor, ListPage, ListQuery, Observation, Options},
    transport::{Reply, Request},
};
use serde_json::Value;

/// A dialect whose metadata has a fraction and a message for people.
pub struct WithFields {
    inner: Arc<dyn Dialect>,
    percent: Option<String>,
    message: Option<String>,
}

impl WithFields {
    pub fn new(inner: Arc<dyn Dialect>, percent: Option<String>, message: Option<String>) -> Self {
        Self { inner, percent, message }
    }

    /// Adds to an observation what the members say. One that is not there says nothing.
    fn complete(&self, seen: &mut Observation<'_>) {
        if self.percent.is_none() && self.message.is_none() {
            return;
        }
        let metadata: Option<Value> =
            seen.metadata.as_ref().and_then(|metadata| serde_json::from_slice(&metadata.bytes).ok());
        let Some(metadata) = metadata else { return };
        if let Some(percent) = self.percent.as_deref().and_then(|field| member(&metadata, field)) {
            // protobuf's JSON writes 64-bit numbers as strings.
            let number = percent.as_f64().or_else(|| percent.as_str()?.trim_end_matches('%').trim().parse().ok());
            seen.progress = number.map(|percent| percent / 100.0).or(seen.progress);
        }
        if let Some(message) = self.message.as_deref().and_then(|field| member(&metadata, field)) {
            let text = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
            seen.status_message = Some(Cow::Owned(text));
        }
    }

    /// Adds to each entry of a page what the members say.
    fn complete_page<'a>(&self, mut page: ListPage<'a>) -> ListPage<'a> {
        for seen in page.operations.iter_mut().filter_map(|entry| entry.seen.as_mut().ok()) {
            self.complete(seen);
        }
        page
    }
}

/// Returns the member at a path such as `stage.percent`.
fn member<'a>(metadata: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(metadata, |value, name| value.get(name)).filter(|value| !value.is_null())
}

impl Dialect for WithFields {
    fn id(&self) -> &'static str {
        self.inner.id()
    }

    fn prepare_start(&self, request: &mut Request, options: &Options) -> Result<(), Failure> {
        self.inner.prepare_start(request, options)
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        let mut seen = self.inner.read_start(request, reply, options)?;
        self.complete(&mut seen);
        Ok(seen)
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        self.inner.locate(name, options)
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.inner.poll(cursor)
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        let mut seen = self.inner.read(cursor, reply)?;
        self.complete(&mut seen);
        Ok(seen)
    }

    fn reads_the_same(&self, reply: &Reply) -> bool {
        self.inner.reads_the_same(reply)
    }

    fn read_answer(&self, reply: &Reply) -> Result<(), Failure> {
        self.inner.read_answer(reply)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.inner.cancel(cursor)
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.inner.delete(cursor)
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Call, Failure> {
        self.inner.wait(cursor, timeout)
    }

    fn remembers_end(&self) -> Option<Duration> {
        self.inner.remembers_end()
    }

    fn prefers_held_polls(&self) -> bool {
        self.inner.prefers_held_polls()
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        self.inner.list(query)
    }

    fn read_list<'a>(&self, query: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        self.inner.read_list(query, reply).map(|page| self.complete_page(page))
    }

    fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
        self.inner.coverage(cursor, options)
    }

    fn poll_named(&self, cursors: &[&Cursor]) -> Result<Call, Failure> {
        self.inner.poll_named(cursors)
    }

    fn read_named<'a>(&self, cursors: &[&Cursor], reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        self.inner.read_named(cursors, reply).map(|page| self.complete_page(page))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_is_found_by_its_path() {
        let metadata = json!({ "stage": { "percent": "42" }, "empty": null });
        assert_eq!(member(&metadata, "stage.percent"), Some(&json!("42")));
        assert_eq!((member(&metadata, "empty"), member(&metadata, "stage.none")), (None, None));
    }
}
