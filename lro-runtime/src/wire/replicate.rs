//! Declared types of [Replicate](https://replicate.com/docs/reference/http): predictions and
//! trainings. The base URL is `https://api.replicate.com`.
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

/// A [prediction](https://replicate.com/docs/reference/http#predictions.get). The response is the
/// model's output, of whatever type that is; the metadata is `metrics`.
///
/// `aborted` (the deadline passed before the prediction began) is a failure. With the header
/// `Prefer: wait` on the start call, a fast model needs no poll. An `error` beside `succeeded` does
/// not count.
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
    /// The status word.
    // Words are compared exactly: the service writes `canceled`.
    #[operation(state, pending = "starting", running = "processing", succeeded = "succeeded", failed = ["failed", "aborted"], cancelled = "canceled")]
    pub status: String,
    /// The output of the model. It may be partial until the prediction has succeeded.
    #[operation(response)]
    pub output: Option<Value>,
    /// The error, if it failed.
    #[operation(error)]
    pub error: Option<Value>,
    /// The time it took.
    #[operation(metadata)]
    pub metrics: Option<Metrics>,
    /// The log of the model.
    pub logs: Option<String>,
}

/// A [training](https://replicate.com/docs/reference/http#trainings.get). The response is the
/// version of the model that it made; the metadata is `metrics`.
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
    /// The status word.
    #[operation(state, pending = "starting", running = "processing", succeeded = "succeeded", failed = ["failed", "aborted"], cancelled = "canceled")]
    pub status: String,
    /// The new version and its weights.
    #[operation(response)]
    pub output: Option<Value>,
    /// The error, if it failed.
    #[operation(error)]
    pub error: Option<Value>,
    /// The time it took.
    #[operation(metadata)]
    pub metrics: Option<Metrics>,
    /// The log of the training.
    pub logs: Option<String>,
}

/// The time that a prediction or a training took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Metrics {
    /// The time of the work itself, in seconds.
    pub predict_time: Option<f64>,
    /// The time from the start to the end, in seconds.
    pub total_time: Option<f64>,
}
