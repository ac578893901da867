use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}", response = self)]
struct Job {
    #[serde(skip)]
    #[operation(name)]
    id: String,
    #[serde(flatten)]
    #[operation(state, running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    status: Status,
}

#[derive(Deserialize)]
struct Status {}

fn main() {}
