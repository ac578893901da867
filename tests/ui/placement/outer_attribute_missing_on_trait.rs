use std::future::Future;

use lro_runtime::{RawOperation, Result, long_running};

trait Service {
    #[long_running(response = (), metadata = ())]
    fn export(&self) -> impl Future<Output = Result<RawOperation>> + Send;
}

fn main() {}
