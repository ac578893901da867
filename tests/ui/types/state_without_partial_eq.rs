use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[derive(serde::Deserialize)]
struct Image {
    uri: String,
}

#[long_running]
impl Client {
    #[long_running(response = Image, metadata = ())]
    async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}

fn is_pending(operation: &ExportOperation) -> bool {
    *operation.state() == ExportState::Pending
}

fn main() {}
