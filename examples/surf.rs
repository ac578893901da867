//! surf's client and middleware as the transport of an SDK client.
//!
//! Run it with `cargo run --example surf`.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use lro_examples::{ExportRequest, ImageClient, service};
use lro_runtime::{
    Operations, PollSettings,
    transport::{HyperTransport, SurfTransport},
};
use surf::{
    Client, Request, Response,
    middleware::{Middleware, Next},
    utils::async_trait,
};

/// A middleware as surf's users write it. It counts the exchanges and logs the first two.
struct Log {
    exchanges: Arc<AtomicU32>,
}

#[async_trait]
impl Middleware for Log {
    async fn handle(&self, mut request: Request, client: Client, next: Next<'_>) -> surf::Result<Response> {
        let n = self.exchanges.fetch_add(1, Ordering::Relaxed) + 1;
        request.insert_header("x-request-id", n.to_string());
        let line = format!("{:<4} {}", request.method().to_string(), request.url().path());
        let response = next.run(request, client).await?;
        // Only the first two: how many polls follow depends on the machine.
        if n <= 2 {
            println!("{line} -> {}", response.status());
        }
        Ok(response)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = service()?;
    let exchanges = Arc::new(AtomicU32::new(0));

    // surf's middleware, with the default transport underneath.
    let surf = SurfTransport::client(HyperTransport::new()).with(Log { exchanges: Arc::clone(&exchanges) });
    let operations = Operations::builder(server.url()).transport(SurfTransport::over(surf)).build()?;
    let client = ImageClient::new(operations);

    let image = smol::block_on(async {
        let operation = client.export_image(&ExportRequest::new("cat", "pictures")).await?;
        operation.poll_until_completed(PollSettings::interactive()).await?.into_result()
    })?;
    println!("...\n{}", image.uri);
    let all = usize::try_from(exchanges.load(Ordering::Relaxed))? == server.log().len();
    println!("the middleware saw {} exchanges", if all { "all" } else { "some" });
    Ok(())
}
