use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = ())]
    async fn export(&self) -> Result<(RawOperation, RawOperation)> {
        Ok((self.operations.post("v1/a", &()).await?, self.operations.post("v1/b", &()).await?))
    }
}

fn main() {}
