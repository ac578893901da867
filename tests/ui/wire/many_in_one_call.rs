use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}", most = 0, named = "job ids")]
struct NoList {
    #[operation(name)]
    id: String,
    #[operation(state, running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    status: String,
    #[operation(response)]
    result: Option<String>,
}

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}", list = "v1/jobs", items = "data", unfinished = "open", named = "ids")]
struct NoMost {
    #[operation(name)]
    id: String,
    #[operation(state, running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    status: String,
    #[operation(response)]
    result: Option<String>,
}

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}", most = 100)]
struct MostOfNoList {
    #[operation(name)]
    id: String,
    #[operation(state, running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    status: String,
    #[operation(response)]
    result: Option<String>,
}

fn main() {}
