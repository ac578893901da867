#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/predictions/{name}", cancel = "POST v1/predictions/{name}/cancel")]
pub struct Prediction {
    #[operation(name)]
    id: String,
    #[operation(state, pending = "starting", running = "processing", succeeded = "succeeded", failed = ["failed", "aborted"], cancelled = "canceled")]
    status: String,
    #[operation(response)]
    output: Option<Vec<String>>,
    #[operation(error)]
    error: Option<String>,
    #[operation(metadata)]
    metrics: Option<Metrics>,
}
