use lro_runtime::{Operations, RawOperation, Result, long_running};

#[derive(serde::Deserialize)]
struct Image {
    uri: String,
}

#[derive(serde::Deserialize)]
struct Progress {
    percent: f64,
}

pub struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = Image, metadata = Progress)]
    pub async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}

fn main() {}
