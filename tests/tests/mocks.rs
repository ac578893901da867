//! Checks that code that uses an SDK can be tested without a service: traits of annotated methods
//! are mocked, and used as `dyn`.

use std::{future::Future, sync::Arc};

use async_trait::async_trait;
use lro_runtime::{Operations, RawOperation, Result, long_running};
use mockall::automock;
use serde_json::json;

#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
struct ExportedImage {
    uri: String,
}

#[long_running(response = ExportedImage, metadata = ())]
#[automock]
trait ImageService {
    fn operations(&self) -> &Operations;

    #[long_running]
    async fn export_image(&self, image: &str) -> Result<RawOperation>;

    #[long_running]
    fn import_image(&self, image: &str) -> impl Future<Output = Result<RawOperation>> + Send;
}

/// The same trait, for use as `dyn`.
#[long_running(response = ExportedImage, metadata = ())]
#[automock]
#[async_trait]
trait DynImageService: Send + Sync {
    fn operations(&self) -> &Operations;

    #[long_running]
    async fn copy_image(&self, image: &str) -> Result<RawOperation>;

    /// With a body that every implementation inherits.
    #[long_running]
    async fn move_image(&self, image: &str) -> Result<RawOperation> {
        self.operations().post("v1/images:move", &json!({ "image": image })).await
    }
}

/// What an SDK's user tests: it starts an export, or resumes one that was started before.
async fn uri_of_export(service: &impl ImageService, stored: Option<String>) -> Result<String> {
    let operation = match stored {
        Some(token) => service.resume_export_image(token.into())?,
        None => service.export_image("cat").await?,
    };
    Ok(operation.await?.uri)
}

async fn uri_of_copy(service: Arc<dyn DynImageService>, stored: Option<&str>) -> Result<String> {
    let operation = match stored {
        Some(token) => service.resume_copy_image(token.into())?,
        None => service.copy_image("cat").await?,
    };
    Ok(operation.await?.uri)
}

fn operations() -> Result<Operations> {
    Operations::builder("https://images.example.com").build()
}

fn exported() -> Result<RawOperation> {
    operations()?.adopt(r#"{"name": "operations/7", "done": true, "response": {"uri": "gs://b/cat.png"}}"#)
}

#[test]
fn a_trait_is_mocked_with_its_resume_functions() -> Result<()> {
    let mut service = MockImageService::new();
    service.expect_export_image().returning(|_| exported().map(RawOperation::typed));
    service.expect_import_image().returning(|_| Box::pin(async { exported().map(RawOperation::typed) }));
    service.expect_resume_export_image().returning(|_| exported().map(RawOperation::typed));
    for stored in [None, Some("operations/7".to_owned())] {
        assert_eq!(smol::block_on(uri_of_export(&service, stored))?, "gs://b/cat.png");
    }
    assert!(smol::block_on(service.import_image("cat"))?.is_succeeded());
    Ok(())
}

#[test]
fn a_trait_of_async_trait_is_mocked_and_used_as_dyn() -> Result<()> {
    let mut service = MockDynImageService::new();
    service.expect_copy_image().returning(|_| exported().map(RawOperation::typed));
    service.expect_move_image().returning(|_| exported().map(RawOperation::typed));
    service.expect_resume_copy_image().returning(|_| exported().map(RawOperation::typed));
    let service: Arc<dyn DynImageService> = Arc::new(service);
    for stored in [None, Some("operations/7")] {
        assert_eq!(smol::block_on(uri_of_copy(service.clone(), stored))?, "gs://b/cat.png");
    }
    assert!(smol::block_on(service.move_image("cat"))?.is_succeeded());
    Ok(())
}

/// A mock by hand.
struct ByHand(Operations);

#[async_trait]
impl DynImageService for ByHand {
    fn operations(&self) -> &Operations {
        &self.0
    }

    async fn copy_image(&self, _image: &str) -> Result<CopyImageOperation> {
        exported().map(RawOperation::typed)
    }
}

#[test]
fn a_trait_of_async_trait_is_implemented_by_hand_and_resumes_as_dyn() -> Result<()> {
    let service: Arc<dyn DynImageService> = Arc::new(ByHand(operations()?));
    assert_eq!(smol::block_on(uri_of_copy(service.clone(), None))?, "gs://b/cat.png");
    let token = smol::block_on(service.copy_image("cat"))?.token();
    assert_eq!(token.method(), "DynImageService.copy_image");
    assert_eq!(service.resume_copy_image(token.into())?.name(), "operations/7");
    Ok(())
}
