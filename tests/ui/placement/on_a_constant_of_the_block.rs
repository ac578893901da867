use lro_runtime::long_running;

struct Client;

#[long_running]
impl Client {
    #[long_running(response = (), metadata = ())]
    const EXPORT: u8 = 1;
}

fn main() {
    let _ = (Client, Client::EXPORT);
}
