#[long_running]
impl<T, C: Channel, const N: usize> Client<T, C, N>
where
    T: Record<C> + Clone,
    C: Clone,
{
    /// Exports records.
    #[long_running(response = Page<T, N>, metadata = M::Progress, cancel)]
    pub async fn export<M: Meter = Percent, R: Serialize>(&self, request: R) -> Result<RawOperation>
    where
        M::Progress: DeserializeOwned,
        Vec<T>: DeserializeOwned,
        R: Into<M>,
    {
        self.operations.post("v1/records:export", &request).await
    }
}
