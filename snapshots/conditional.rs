#[long_running]
impl ImageClient {
    /// Exports an image.
    #[cfg(feature = "export")]
    #[cfg_attr(docsrs, doc(cfg(feature = "export")))]
    #[cfg_attr(not(docsrs), inline)]
    #[long_running(response = ExportedImage, metadata = (), cancel)]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }

    #[cfg(unix)]
    #[long_running(response = Unix, metadata = ())]
    fn convert(&self) -> impl Future<Output = Result<RawOperation>> {
        self.operations.post("v1/unix", &())
    }

    #[cfg(not(unix))]
    #[long_running(response = Other, metadata = ())]
    fn convert(&self) -> impl Future<Output = Result<RawOperation>> {
        self.operations.post("v1/other", &())
    }
}
