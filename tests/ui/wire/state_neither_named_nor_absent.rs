use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}")]
struct Job {
    #[operation(name)]
    id: String,
    #[operation(state, pending = "queued", running = "busy", succeeded = "over")]
    status: String,
    #[operation(response)]
    result: Option<String>,
}

fn main() {}
