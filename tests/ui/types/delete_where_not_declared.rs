use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = (), cancel)]
    async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}

fn caller(client: &Client) -> Result<()> {
    let operation = client.resume_export("operations/1")?.blocking();
    operation.cancel()?;
    operation.delete()
}

fn main() {}
