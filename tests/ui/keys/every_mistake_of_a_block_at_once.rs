use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running(poll(delay = "soon"))]
impl Client {
    #[long_running(response = ())]
    async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }

    #[long_running(response = (), metadata = (), cancle)]
    async fn import(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }

    #[long_running(response = &str, metadata = (), poll(multiplier = 0.5, jiter = 1))]
    async fn convert(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}

fn main() {}
