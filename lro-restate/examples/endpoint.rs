//! What a program deploys: its services, a handler that starts an operation and has it watched, and
//! a handler that is told how it has ended. `examples/run.sh` runs it with a server, on loopback.
//!
//! The service that exports images is played by a server in this process.

#![expect(missing_docs, reason = "of what the SDK generates")]
#![expect(clippy::unused_async, reason = "the SDK wants handlers to be")]

use std::time::Duration;

use lro_restate::{
    Ended, Groups, Watch, group_of,
    restate_sdk::{context::RequestTarget, prelude::*},
};
use lro_runtime::{
    Operations, PollSettings, StartIdIn,
    fleet::Service,
    http::Method,
    testing::{Job, LroServer},
};
use serde_json::json;

/// What an export gives.
#[derive(serde::Deserialize)]
struct Image {
    uri: String,
}

/// The program's own service.
struct Images {
    operations: Operations,
}

#[restate_sdk::service]
impl Images {
    /// Starts an export, and returns before it is done: nothing here waits.
    #[handler]
    async fn export(&self, ctx: Context<'_>, image: String) -> HandlerResult<String> {
        // Its outcome is in the journal, and so is the start. Should this process die before, the
        // call is sent again with the same id, from which the service knows that it has it already.
        let (operations, id) = (self.operations.clone(), ctx.invocation_id().to_owned());
        let token = ctx
            .run(|| async move {
                let call = operations.call(Method::POST, "v1/images:export").json(&json!({ "image": image }));
                let started = call.start_id_in(StartIdIn::Header("x-request-id")).with_start_id(id).await?;
                Ok(Json(started.token()))
            })
            .name("start")
            .await?
            .into_inner();
        let name = token.name().to_owned();
        let group = RequestTarget::object("LroGroup", group_of("images", &name, 1), "watch");
        drop(ctx.request::<_, ()>(group, Json(vec![Watch::new(token)])).send());
        Ok(name)
    }

    /// Is told once how each export has ended, on whichever machine.
    #[handler(ingress_private)]
    async fn exported(&self, _: Context<'_>, ended: Json<Ended>) -> HandlerResult<()> {
        let ended = ended.into_inner();
        let Image { uri } = ended.response()?;
        println!("{} is {:?}: {uri}", ended.name, ended.state);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9080".to_owned());
    let cloud = LroServer::builder()
        .on("v1/images:export", |request| {
            let uri = format!("gs://pictures/{}.png", request["image"].as_str().unwrap_or("none"));
            Job::lasting(Duration::from_secs(3)).responds(json!({ "uri": uri }))
        })
        .start()?;
    let operations = Operations::builder(cloud.url()).poll_settings(PollSettings::interactive()).build()?;
    let groups = Groups::builder()
        .service(Service::new("images", &operations))
        .requests_per_second("images", 50.0) // of all machines together
        .completions_to("Images", "exported")
        .build()?;
    let endpoint = groups.bind(Endpoint::builder()).bind(Images { operations }).build();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&address).await?;
        println!("listening on {}", listener.local_addr()?);
        HttpServer::new(endpoint).serve(listener).await;
        Ok(())
    })
}
