use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = std::borrow::Cow<'a, str>, metadata = ())]
    async fn export<'a>(&self, name: &'a str) -> Result<RawOperation> {
        self.operations.post("v1/images:export", name).await
    }
}

fn main() {}
