//! The choice of where the response is after a status monitor has said `Succeeded`.

use http::Method;

use super::cursor::{self, LOCATION, METHOD, OPERATION_ID, PLACE, Place, START, VIA, at};
use crate::{dialect::Cursor, status::Failure};

/// Where the response is after a status monitor has said `Succeeded`: `final_state_via = "…"` in
/// the attribute.
///
/// Azure's API specifications say this per method, under the name `final-state-via`. Without it, or
/// where it does not apply, the first of these rules that applies says where the response is, as in
/// Azure's clients:
///
/// - `DELETE`: nothing is fetched; the response is `result` in the monitor's body, if there is one.
/// - The monitor's body has a `resourceLocation`: the response is fetched from there.
/// - `PUT` and `PATCH`: the response is fetched from the URL of the start call.
/// - A reply had a `Location`: the response is fetched from the last one. If the monitor was itself
///   behind a `Location`, as in Fabric, the one of its last reply goes before the URL of the start
///   call.
/// - The monitor's body has a `result`: that is the response.
/// - The monitor is behind a `Location`, and the start reply had `x-ms-operation-id`, as in Fabric:
///   the response is fetched from `result` below the monitor. There may be none.
/// - Otherwise the monitor's body is the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinalStateVia {
    /// `location`: the last `Location`.
    Location,
    /// `original-uri`: the URL of the start call.
    OriginalUri,
    /// `operation-location`: in the monitor itself. Has an effect for `POST` only.
    OperationLocation,
    /// `azure-async-operation`: in the monitor itself. Has an effect for `POST` only.
    AzureAsyncOperation,
    /// `custom-link`: at a URL in a member of the monitor's body, which the word does not name. The
    /// rules above apply.
    CustomLink,
    /// `custom-operation-reference`: in the reply to another call, which the word does not name.
    /// The rules above apply.
    CustomOperationReference,
    /// `no-result`: nowhere. Nothing is fetched, and there is no response.
    NoResult,
    /// `final-state-schema`: where the rules above say, and of the type that the specification has
    /// beside this word.
    FinalStateSchema,
}

impl FinalStateVia {
    /// Every choice with its word: those of `x-ms-long-running-operation-options`, and those that
    /// [TypeSpec](https://azure.github.io/typespec-azure/docs/libraries/azure-core/reference/js-api/)
    /// adds. Tokens contain these words.
    pub(super) const ALL: [(&'static str, Self); 8] = [
        ("location", Self::Location),
        ("original-uri", Self::OriginalUri),
        ("operation-location", Self::OperationLocation),
        ("azure-async-operation", Self::AzureAsyncOperation),
        ("custom-link", Self::CustomLink),
        ("custom-operation-reference", Self::CustomOperationReference),
        ("no-result", Self::NoResult),
        ("final-state-schema", Self::FinalStateSchema),
    ];

    /// Returns the word for it in Azure's API specifications.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, via)| *via == self).map_or("", |(word, _)| word)
    }

    /// Returns the choice with this word.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, via)| *via)
    }
}

/// Whether the operation has no response, not even in its monitor.
pub(super) fn has_no_result(cursor: &Cursor) -> bool {
    cursor.part(VIA) == Some(FinalStateVia::NoResult.word())
}

/// Returns the cursor that leads to the response of an operation whose monitor has succeeded;
/// `None` if the monitor itself has it.
///
/// The order is that of Azure's clients, given at [`FinalStateVia`]. `place` is what the polled URL
/// is: of a monitor behind a `Location` the last reply says by another `Location` where the result
/// is, which goes before the start URL.
pub(super) fn result_cursor(
    cursor: &Cursor,
    place: Place,
    resource_location: Option<&str>,
    has_result: bool,
) -> Option<Cursor> {
    let (method, start, location) = (cursor.part(METHOD), known(cursor, START), known(cursor, LOCATION));
    let is = |wanted: Method| method == Some(wanted.as_str());
    let via = cursor.part(VIA).and_then(FinalStateVia::of);
    let url = match via {
        // Nothing is left to fetch, even if the monitor or a header names a URL.
        _ if is(Method::DELETE) => None,
        Some(FinalStateVia::NoResult) => None,
        // Only for POST: the response of a PUT or PATCH is the resource, whichever monitor was
        // polled.
        Some(FinalStateVia::OperationLocation | FinalStateVia::AzureAsyncOperation) if is(Method::POST) => None,
        // The author's word counts only if the URL is known. Else the usual order applies.
        Some(FinalStateVia::Location) if location.is_some() => location,
        Some(FinalStateVia::OriginalUri) if start.is_some() => start,
        _ => match resource_location.filter(|url| !url.is_empty()) {
            Some(url) => Some(Ok(url)),
            None if place == Place::Location && location.is_some() => location,
            None if is(Method::PUT) || is(Method::PATCH) => start,
            None if location.is_some() => location,
            None if place == Place::Location && !has_result && cursor.part(OPERATION_ID).is_some() => {
                return Some(cursor::below(cursor, "result").with(PLACE, Place::MaybeResult.word()));
            }
            None => None,
        },
    };
    let at_url = url?.map_or_else(|why| cursor.clone().refused(&why), |url| at(cursor, url));
    Some(at_url.with(PLACE, Place::Result.word()))
}

/// Returns the URL in the part `name`, or why it is missing: an operation that was resumed from a
/// token without it has a response all the same, and it is at no other URL.
fn known<'a>(cursor: &'a Cursor, name: &str) -> Option<Result<&'a str, Failure>> {
    cursor.part(name).map(Ok).or_else(|| cursor.why_missing(name).map(Err))
}
