//! Tests of generative AI: a success on the wire that is a failure for the user, and typed video
//! generation.

use lro_runtime::{
    Code, Dialect, ErrorKind, Operations, RawOperation, Result, Status, block_on,
    dialect::{Google, Jobs, Vertex},
    long_running,
};
use serde::Deserialize;

use crate::answers::Answers;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Videos {
    #[serde(rename = "videos")]
    generated: Vec<String>,
    rai_media_filtered_count: u32,
    rai_media_filtered_reasons: Vec<String>,
}

impl Videos {
    /// Whether every video was filtered out. The service reports that as a success, for a user it
    /// is a failure.
    fn is_filtered(&self) -> bool {
        self.generated.is_empty() && self.rai_media_filtered_count > 0
    }
}

fn filtered(videos: &Videos) -> Status {
    Status::new(Code::FailedPrecondition, videos.rai_media_filtered_reasons.join("; "))
}

pub(crate) struct Models {
    operations: Operations,
}

#[long_running]
impl Models {
    #[long_running(response = Videos, metadata = (), classify = |videos| videos.is_filtered().then(|| filtered(videos)))]
    pub(crate) async fn generate_videos(&self, prompt: &str) -> Result<RawOperation> {
        self.operations.post("v1/projects/p/locations/l/publishers/google/models/veo:predictLongRunning", prompt).await
    }
}

const NAME: &str = "projects/p/locations/l/publishers/google/models/veo/operations/1";

fn generated(response: &'static str) -> Result<Videos> {
    let answers = Answers::new(move |n, _| match n {
        0 => format!(r#"{{"name": "{NAME}"}}"#),
        _ => format!(r#"{{"name": "{NAME}", "done": true, "response": {response}}}"#),
    });
    let (operations, _) = answers.operations("https://us-central1-aiplatform.googleapis.com", Vertex::new());
    block_on(async { Models { operations }.generate_videos("a cat").await?.await })
}

#[test]
fn a_response_that_the_author_classifies_as_a_failure_is_one() {
    let filtered = r#"{"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["a person"]}"#;
    let error = generated(filtered).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(error.status().unwrap().to_string(), "FAILED_PRECONDITION: a person");
    assert_eq!(&error.snapshot().unwrap().raw()[..8], b"{\"name\":", "what came is kept");
    assert_eq!(generated(r#"{"videos": ["gs://v"], "raiMediaFilteredCount": 1}"#).unwrap().generated, ["gs://v"]);
}

#[test]
fn an_operation_is_polled_by_name_or_from_its_snapshot() {
    let answers = Answers::new(|_, _| r#"{"name": "models/m/operations/1", "metadata": {"n": 1}}"#);
    let (operations, _) =
        answers.operations("https://generativelanguage.googleapis.com", Google::new().with_path("v1beta/{name}"));
    let by_name = operations.blocking().get("models/m/operations/1").unwrap();
    let again = by_name.blocking().poll_once().unwrap();
    assert_eq!(again.metadata().unwrap().bytes(), br#"{"n": 1}"#);
    let line = "GET https://generativelanguage.googleapis.com/v1beta/models/m/operations/1";
    assert_eq!(answers.lines(), [line, line]);
}

#[test]
fn a_job_is_polled_below_the_path_of_its_service() {
    let jobs = Jobs::new().with_path("v1beta1/{name}");
    let cursor = jobs.locate("projects/p/customJobs/7", &[]).unwrap();
    assert_eq!(jobs.poll(&cursor).unwrap().target, "v1beta1/projects/p/customJobs/7");
}

#[test]
fn a_prediction_is_asked_for_below_the_path_of_its_service() {
    let vertex = Vertex::new().with_path("v1beta1/{name}");
    let cursor = vertex.locate("projects/p/models/m/operations/7", &[]).unwrap();
    assert_eq!(vertex.poll(&cursor).unwrap().target, "v1beta1/projects/p/models/m:fetchPredictOperation");
    assert_eq!(vertex.cancel(&cursor).unwrap().target, "v1beta1/projects/p/models/m/operations/7:cancel");
}
