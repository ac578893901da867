use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "GET /jobs/{name}", list = "GET v1/jobs", items = "jobs")]
struct Job {
    #[operation(name)]
    id: String,
    #[operation(state, running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    status: String,
    #[operation(response)]
    result: Option<String>,
}

fn main() {}
