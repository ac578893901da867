#[derive(Deserialize, WireOperation)]
pub struct Job {
    #[operation(nme)]
    id: String,
    #[operation(state, running = "busy", succeeded = "busy")]
    status: String,
}
