//! The nearest legal name, for messages.

/// Returns `; did you mean …?` if one of the names is near, and nothing else.
pub(super) fn nearest<'a>(found: &str, legal: impl IntoIterator<Item = &'a str>) -> String {
    let near = legal.into_iter().map(|name| (strsim::jaro_winkler(found, name), name));
    match near.filter(|(score, _)| *score > 0.8).max_by(|one, other| one.0.total_cmp(&other.0)) {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}
