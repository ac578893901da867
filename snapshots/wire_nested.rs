#[derive(Deserialize, WireOperation)]
#[operation(name = "projects/{reference.project}/jobs/{reference.id}", metadata = self, response = "output.files")]
#[operation(poll = "v2/{reference.project}/{reference.id}", list = "v2/jobs?limit={page_size}&only={filter}", items = "jobs", next_page = "next")]
#[operation(most = 200, unfinished = "state != DONE")]
pub struct Job {
    #[operation(state = "state", missing = pending, running = "RUNNING", done = "DONE")]
    #[operation(error = "errorResult", cancelled = "stopped")]
    status: Status,
    #[operation(progress = "done", of = "all")]
    counts: Counts,
}
