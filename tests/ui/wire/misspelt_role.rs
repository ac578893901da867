use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}")]
struct Job {
    #[operation(nmae)]
    id: String,
    #[operation(state, running = "busy", succeeded = "over", absent(pending, failed, cancelled))]
    status: String,
    #[operation(response)]
    result: Option<String>,
}

fn main() {}
