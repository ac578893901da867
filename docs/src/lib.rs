//! Compiles and runs the code of the book, whose pages are in `docs/book`: each block of Rust there
//! is a test of this crate. `tests/book/links.rs` holds that every page of the table of contents is
//! listed here.

pub mod pictures;
mod service;

pub use service::service;

/// Makes a page's blocks of code tests, under a name that `cargo test` prints.
macro_rules! pages {
    ($($name:ident = $page:literal,)*) => {
        $(#[cfg(doctest)] #[doc = include_str!(concat!("../book/", $page))] pub mod $name {})*
    };
}

pages! {
    introduction = "introduction.md",
    first_steps = "first-steps.md",
    generate_your_sdk = "generate-your-sdk.md",
    how_a_wait_goes = "how-a-wait-goes.md",
    many_operations = "many-operations.md",
    nothing_lost = "nothing-lost.md",
    fifty = "cookbook/fifty.md",
    select_and_streams = "cookbook/select-and-streams.md",
    ctrl_c = "cookbook/ctrl-c.md",
    one_deadline = "cookbook/one-deadline.md",
    resume = "cookbook/resume.md",
    web_handler = "cookbook/web-handler.md",
    errors = "cookbook/errors.md",
    without_async = "cookbook/without-async.md",
    mocks = "cookbook/mocks.md",
    virtual_time = "cookbook/virtual-time.md",
    progress_bar = "cookbook/progress-bar.md",
    traces_and_metrics = "cookbook/traces-and-metrics.md",
    sigv4 = "cookbook/sigv4.md",
    own_transport = "cookbook/own-transport.md",
    own_timer = "cookbook/own-timer.md",
    adding_a_dialect = "adding-a-dialect.md",
    command = "command.md",
    from_api_core = "moving/api-core.md",
    from_genai = "moving/genai.md",
    from_dotnet = "moving/dotnet.md",
    from_azure = "moving/azure.md",
    from_aws = "moving/aws.md",
    from_google_cloud_rust = "moving/google-cloud-rust.md",
    from_azure_core = "moving/azure-core-rust.md",
    asked_for = "asked-for.md",
}

/// The README of the repository.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}
