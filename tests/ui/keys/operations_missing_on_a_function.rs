use lro_runtime::{Operations, RawOperation, Result, long_running};

#[long_running(response = (), metadata = ())]
async fn export(operations: &Operations) -> Result<RawOperation> {
    operations.post("v1/images:export", &()).await
}

fn main() {}
