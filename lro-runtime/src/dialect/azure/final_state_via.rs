//! Where the response is once a status monitor says `Succeeded`.

/// Where the response is once a status monitor says `Succeeded`: `final_state_via = "…"` in the attribute.
///
/// Without it, what Azure's clients do: a `DELETE` has none; `resourceLocation` in the monitor's body; for `PUT` and `PATCH` the URL of the start
/// call; the last `Location`; `result` in the monitor's body; the monitor's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinalStateVia {
    /// `location`: the last `Location`.
    Location,
    /// `original-uri`: the URL of the start call.
    OriginalUri,
    /// `operation-location`: the monitor itself (of a `POST`).
    OperationLocation,
    /// `azure-async-operation`: the monitor itself (of a `POST`).
    AzureAsyncOperation,
}

impl FinalStateVia {
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("location", Self::Location),
        ("original-uri", Self::OriginalUri),
        ("operation-location", Self::OperationLocation),
        ("azure-async-operation", Self::AzureAsyncOperation),
    ];

    /// The word in Azure's specifications.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, via)| *via == self).map_or("", |(word, _)| word)
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, via)| *via)
    }
}
