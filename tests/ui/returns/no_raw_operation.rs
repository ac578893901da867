use lro_runtime::{Operations, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = ())]
    async fn export(&self) -> Result<String> {
        Ok(self.operations.post("v1/images:export", &()).await?.name().to_owned())
    }
}

fn main() {}
