use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
struct Job {
    id: String,
    status: String,
}

fn main() {}
