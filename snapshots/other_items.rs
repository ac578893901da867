#[long_running]
impl ImageClient {
    #![allow(unused)]

    pub const LIMIT: Limit = Limit { images: 3 };

    macro_rules_like! { anything goes }

    accessors!(a, b);

    pub const fn new() -> Self {
        Self { operations: Operations::new() }
    }

    #[long_running(response = (), metadata = ())]
    async fn export(&self, (a, mut b): (u8, u8), _: u8) -> Result<RawOperation> {
        b += a;
        if b == 0 {
            return Err(Error::zero());
        }
        self.operations.post("v1/images:export", &b).await
    }

    unsafe extern "C" fn raw() {}
}
