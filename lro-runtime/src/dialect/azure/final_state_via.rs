//! The choice of where the response is after a status monitor has said `Succeeded`.

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
/// - A reply had a `Location`: the response is fetched from the last one.
/// - The monitor's body has a `result`: that is the response.
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
}

impl FinalStateVia {
    /// Every choice with its word in Azure's specifications. Tokens contain these words.
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("location", Self::Location),
        ("original-uri", Self::OriginalUri),
        ("operation-location", Self::OperationLocation),
        ("azure-async-operation", Self::AzureAsyncOperation),
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
