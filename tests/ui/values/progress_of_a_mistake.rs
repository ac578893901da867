use lro_runtime::{Operations, RawOperation, Result, long_running};

#[derive(serde::Deserialize)]
struct Progress {
    percent: f64,
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
    #[long_running(progress(percent))]
    async fn no_total(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(progress(percent, of = 0))]
    async fn total_of_nothing(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(progress(percent, of = total))]
    async fn total_without_quotes(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(progress(percent, total = 100))]
    async fn misspelt(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(progress(of = 100))]
    async fn no_field(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(progress(percent of = 100))]
    async fn no_comma(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }
}

fn main() {}
