use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}", error = "status..error", metadata = "stats/all")]
struct Job {
    #[operation(name)]
    id: String,
    #[operation(state = "", running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    status: String,
    #[operation(response)]
    result: Option<String>,
}

fn main() {}
