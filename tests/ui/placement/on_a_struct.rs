use lro_runtime::long_running;

#[long_running(response = (), metadata = ())]
struct Client;

fn main() {}
