use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = String)]
    async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}

async fn caller(client: &Client) -> Result<Option<String>> {
    let state: ExportState = ExportState::Pending;
    let operation: ExportOperation = client.export().await?;
    let again = client.resume_export("operations/1")?;
    drop((state, operation, again));
    Ok(None)
}

fn main() {}
