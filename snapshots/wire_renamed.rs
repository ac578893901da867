#[derive(Deserialize, WireOperation)]
#[serde(rename_all = "camelCase")]
#[operation(poll = "tasks/{name}", id = "meilisearch", response = self)]
#[operation(list = "tasks?limit={page_size}", items = "results", most = 500, named = "uids")]
pub struct Task {
    #[serde(rename = "uid", alias = "taskUid")]
    #[operation(name)]
    number: u64,
    #[operation(state, running = ["enqueued", "processing"], done = "finished", absent(pending, cancelled))]
    task_status: Status,
    #[serde(flatten)]
    #[operation(progress = "percentDone", of = 100)]
    rest: Rest,
    #[operation(hint, unit = "ms")]
    retry_in: Option<u32>,
    #[operation(error)]
    last_error: Option<Problem>,
    #[operation(next)]
    self_link: Option<String>,
}
