//! The name that was probably meant.

/// Returns the legal name that was probably meant, or `None` if no legal name is similar enough.
pub(crate) fn nearest<'a>(name: &str, legal: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |legal: &'a str| (strsim::damerau_levenshtein(name, legal), legal);
    let (edits, found) = legal.into_iter().map(distance).min()?;
    // About one edit in four letters: with more, it is another word.
    (edits <= 2.max(name.chars().count() / 4) && edits < found.chars().count()).then_some(found)
}

/// Returns the clause that a message about an unknown name ends with: `; did you mean …?`, or
/// nothing.
pub(crate) fn did_you_mean<'a>(name: &str, legal: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, legal).map(|found| format!("; did you mean `{found}`?")).unwrap_or_default()
}

/// Returns how the first sentence of a message about an unknown name ends: `; did you mean …?`, or
/// with a full stop.
pub(crate) fn did_you_mean_or_stop<'a>(name: &str, legal: impl IntoIterator<Item = &'a str>) -> String {
    Some(did_you_mean(name, legal)).filter(|hint| !hint.is_empty()).unwrap_or_else(|| ".".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_if_few_letters_differ() {
        let legal = ["response", "metadata", "Workflows.CreateWorkflow"];
        assert_eq!(nearest("respons", legal), Some("response"));
        assert_eq!(nearest("metdata", legal), Some("metadata"));
        assert_eq!(nearest("Workflow.CreateWorkflows", legal), Some("Workflows.CreateWorkflow"));
        assert_eq!(nearest("colour", legal), None);
        assert_eq!(nearest("is", ["at"]), None);
        assert_eq!(did_you_mean("respons", legal), "; did you mean `response`?");
        assert_eq!(
            (did_you_mean("colour", legal), did_you_mean_or_stop("colour", legal)),
            (String::new(), ".".to_owned())
        );
    }
}
