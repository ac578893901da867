use lro_runtime::{Operations, RawOperation, Result, long_running};

#[derive(serde::Deserialize)]
struct Progress {
    steps: Steps,
}

#[derive(serde::Deserialize)]
struct Steps {
    done: u32,
    names: Vec<String>,
}

struct Client {
    operations: Operations,
}

#[long_running(metadata = Progress, response = ())]
impl Client {
    #[long_running(progress(steps.done, of = "totl"))]
    async fn not_there(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(progress(steps.done, of = "names"))]
    async fn not_a_number(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }
}

fn main() {}
