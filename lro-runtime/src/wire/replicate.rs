//! [Replicate](https://replicate.com/docs/reference/http): predictions and trainings. The base URL is `https://api.replicate.com`.
//!
//! ```
//! use lro_runtime::{Operations, dialect::Declared, wire::replicate::Prediction};
//!
//! let replicate = Operations::builder("https://api.replicate.com").dialect(Declared::of::<Prediction>()).build()?;
//! let prediction = replicate.resume("gm3qorzdhgbfurvjtvhg6dckhu")?;
//! assert!(!prediction.is_completed());
//! # Ok::<(), lro_runtime::Error>(())
//! ```

use serde::Deserialize;
use serde_json::Value;

use crate::WireOperation;

/// A [prediction](https://replicate.com/docs/reference/http#predictions.get): its response is the model's output, of whatever type that is.
///
/// `aborted` (it met its deadline before it began) is a failure. `Prefer: wait` on the start call saves the polls of a fast model.
///
/// ```json
/// {"id": "gm3q", "status": "succeeded", "output": ["https://…/out.png"], "error": null, "metrics": {"predict_time": 4.5}}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[operation(crate = crate, id = "replicate.prediction")]
#[operation(poll = "v1/predictions/{name}", cancel = "POST v1/predictions/{name}/cancel")]
#[operation(list = "v1/predictions", items = "results", next_page = "next")]
#[non_exhaustive]
pub struct Prediction {
    /// The id.
    #[operation(name)]
    pub id: String,
    /// The word of its state.
    #[operation(state, pending = "starting", running = "processing", succeeded = "succeeded", failed = ["failed", "aborted"], cancelled = "canceled")]
    pub status: String,
    /// What the model made.
    #[operation(response)]
    pub output: Option<Value>,
    /// Why it failed.
    #[operation(error)]
    pub error: Option<Value>,
    /// What it took.
    #[operation(metadata)]
    pub metrics: Option<Metrics>,
    /// What the model printed.
    pub logs: Option<String>,
}

/// A [training](https://replicate.com/docs/reference/http#trainings.get): its response is the version that it made.
///
/// ```json
/// {"id": "zz4i", "status": "processing", "output": null, "error": null, "logs": "…"}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[operation(crate = crate, id = "replicate.training")]
#[operation(poll = "v1/trainings/{name}", cancel = "POST v1/trainings/{name}/cancel")]
#[operation(list = "v1/trainings", items = "results", next_page = "next")]
#[non_exhaustive]
pub struct Training {
    /// The id.
    #[operation(name)]
    pub id: String,
    /// The word of its state.
    #[operation(state, pending = "starting", running = "processing", succeeded = "succeeded", failed = ["failed", "aborted"], cancelled = "canceled")]
    pub status: String,
    /// The version and its weights.
    #[operation(response)]
    pub output: Option<Value>,
    /// Why it failed.
    #[operation(error)]
    pub error: Option<Value>,
    /// What it took.
    #[operation(metadata)]
    pub metrics: Option<Metrics>,
    /// What the training printed.
    pub logs: Option<String>,
}

/// What a prediction or a training took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Metrics {
    /// Seconds of work.
    pub predict_time: Option<f64>,
    /// Seconds from start to end.
    pub total_time: Option<f64>,
}
