#[long_running]
pub(crate) trait ImageService: Send + Sync {
    const VERSION: &'static str = "v1";

    type Request;

    fn operations(&self) -> &Operations;

    /// Exports an image.
    #[long_running(response = ExportedImage, metadata = ExportProgress)]
    fn export_image(&self, request: Self::Request) -> impl Future<Output = Result<RawOperation>> + Send;

    /// Imports an image.
    #[long_running(response = Image, metadata = ())]
    async fn import_image(&self) -> Result<RawOperation> {
        self.operations().post("v1/images:import", &()).await
    }
}
