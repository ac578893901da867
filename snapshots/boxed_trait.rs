#[long_running]
pub trait ImageService {
    fn operations(&self) -> &Operations;

    #[long_running(response = ExportedImage, metadata = ExportProgress)]
    fn export_image(&self) -> Pin<Box<dyn Future<Output = Result<RawOperation>> + Send + '_>> {
        Box::pin(self.operations().post("v1/images:export", &()))
    }

    #[long_running(response = Image, metadata = ())]
    fn import_image(&self) -> BoxFuture<'_, Result<RawOperation>>;
}
