//! How the wait for an operation has ended, as it is told to the program's own handler.

use lro_runtime::{Error, RawOperation, State, Ticket, fleet::Completion};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// How the wait for an operation has ended: what the handler gets that
/// [`GroupsBuilder::completions_to`](crate::GroupsBuilder::completions_to) names.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ended {
    /// The group that the operation was watched in: with the ticket, one of a kind.
    pub group: String,
    /// The ticket of the operation.
    pub ticket: Ticket,
    /// The key that it was watched under.
    pub key: Option<String>,
    /// Its name.
    pub name: String,
    /// Its method; empty for an operation of none.
    pub method: String,
    /// How it is.
    pub state: EndedState,
    /// What it gave, if it succeeded and has a response of JSON: see [`response`](Self::response).
    pub response: Option<Box<RawValue>>,
    /// Why it failed or was cancelled, or why it is not waited for any more.
    pub problem: Option<Problem>,
    /// Its token, with which it can be polled again.
    pub token: Option<String>,
}

/// How an operation is whose wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndedState {
    /// It has succeeded.
    Succeeded,
    /// It has failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It may go on: the wait expired, or its polls failed for good.
    Unknown,
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// The code of the service's status, or the kind of the error, such as `Timeout`.
    pub kind: String,
    /// What happened, in one line.
    pub message: String,
}

impl Ended {
    /// Returns what the operation gave.
    ///
    /// # Errors
    ///
    /// When there is no response, or it is of another type.
    pub fn response<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.response.as_deref().map_or("null", RawValue::get))
    }

    pub(crate) fn of(group: &str, completion: &Completion) -> Self {
        let (operation, error) = match completion.outcome() {
            Ok(operation) => (Some(operation), None),
            Err(error) => (error.snapshot(), Some(error)),
        };
        let state = match (error, operation.map(RawOperation::state)) {
            (None, Some(State::Succeeded)) => EndedState::Succeeded,
            (None, Some(State::Failed)) => EndedState::Failed,
            (None, Some(State::Cancelled)) => EndedState::Cancelled,
            _ => EndedState::Unknown,
        };
        let response = operation.filter(|_| state == EndedState::Succeeded).and_then(RawOperation::response);
        let problem = match error {
            Some(error) => Some(problem_of(error)),
            None => operation
                .and_then(RawOperation::status)
                .map(|status| Problem { kind: status.code().to_string(), message: status.message().to_owned() }),
        };
        let token = operation.map(RawOperation::token);
        Self {
            group: group.to_owned(),
            ticket: completion.ticket(),
            key: completion.key().map(str::to_owned),
            name: completion.name().to_owned(),
            method: token.as_ref().map(|token| token.method().to_owned()).unwrap_or_default(),
            state,
            response: response.and_then(|payload| serde_json::from_slice(payload.bytes()).ok()),
            problem,
            token: token.map(|token| token.to_string()),
        }
    }
}

fn problem_of(error: &Error) -> Problem {
    Problem { kind: format!("{:?}", error.kind()), message: error.to_string() }
}
