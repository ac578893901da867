//! The subscriber of a measurement with traces.

use tracing::{level_filters::LevelFilter, subscriber::set_global_default};
use tracing_subscriber::{layer::SubscriberExt, registry};

/// Installs a subscriber of the level that `TRACES` names, which keeps spans as any exporter needs
/// it to and writes nothing. Without `TRACES` there is none.
pub fn subscribe() {
    let level = std::env::var("TRACES").ok().and_then(|level| level.parse::<LevelFilter>().ok());
    if let Some(level) = level {
        set_global_default(registry().with(level)).expect("it is the first");
    }
}
