//! An SDK that was generated from a proto, called over REST, in front of a server in this process.
//!
//! Run it with `cargo run --example images`. The folder `sdk` is what this has written:
//!
//! ```sh
//! lro generate --proto examples/generated/images --rest --out examples/generated/images/sdk
//! ```

use std::error::Error;

use lro_examples::image_sdk::{
    images::{CreateImageOptions, ImagesClient},
    types::{ExportImageRequest, Image},
};
use lro_runtime::{
    block_on,
    testing::{Job, LroServer},
};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let server = service()?;
    let images = ImagesClient::new(server.operations()?);
    let elephant = "albums/zoo/images/elephant";

    let request = ExportImageRequest { bucket: Some("pictures".to_owned()), ..ExportImageRequest::default() };
    let exported = block_on(async {
        let operation = images.export_image(elephant, &request).await?;
        println!("started  {}", operation.name());
        operation.await
    })?;
    println!("exported {}", exported.uri.unwrap_or_default());

    // An argument of another shape is a mistake that is found before anything is sent.
    let image = Image { title: Some("An elephant".to_owned()), ..Image::default() };
    if let Err(error) = block_on(images.create_image("zoo", &image, "cow", &CreateImageOptions::default())) {
        println!("refused  {error}");
    }
    Ok(())
}

/// The service, which is otherwise on the internet.
fn service() -> std::io::Result<LroServer> {
    let export = |_: &serde_json::Value| Job::polls(2).responds(json!({ "uri": "gs://pictures/elephant.png" }));
    LroServer::builder().on("v1/albums/zoo/images/elephant:export", export).start()
}
