#[derive(Deserialize, WireOperation)]
#[operation(crate = my_sdk::lro, poll = "jobs/{name}")]
pub struct Job<T, E>
where
    T: Clone,
{
    #[operation(name)]
    r#type: String,
    #[operation(state, running = false, done = true, absent(pending, cancelled))]
    done: bool,
    #[operation(progress)]
    fraction: f32,
    #[operation(response)]
    output: Option<T>,
    #[operation(error)]
    error: Option<E>,
}
