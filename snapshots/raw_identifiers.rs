#[long_running]
impl r#async::Client {
    #[long_running(response = r#type::Moved, metadata = ())]
    pub(in crate::storage) async fn r#move(&self, r#type: &str) -> Result<RawOperation> {
        self.operations.post("v1:move", r#type).await
    }
}
