use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    fn operations(&self) -> &Operations {
        &self.operations
    }
}

async fn caller(client: &Client) -> Result<RawOperation> {
    client.operations().post("v1/images:export", &()).await
}

fn main() {}
