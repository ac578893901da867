//! Messages about unknown keys: the key that was probably meant, and the legal ones.

/// Returns the legal key that was probably meant, or `None` if no legal key is similar enough.
pub(crate) fn nearest<'a>(key: &str, legal: &[&'a str]) -> Option<&'a str> {
    let (edits, word) = legal.iter().map(|word| (distance(key, word), *word)).min()?;
    // Fewer edits than letters, or any word of two letters would be taken for `is`.
    (edits <= 2 && edits < word.len()).then_some(word)
}

/// Returns the message for an unknown key.
///
/// The hint is taken from `candidates`, the legal keys are `listed`, and `place` says where they
/// are legal.
pub(crate) fn unknown_key(key: &str, candidates: &[&str], place: &str, listed: &[&str]) -> String {
    let hint = match nearest(key, candidates) {
        Some(word) => format!("; did you mean `{word}`?"),
        None => ".".to_owned(),
    };
    let listed: Vec<String> = listed.iter().map(|word| format!("`{word}`")).collect();
    format!("unknown key `{key}`{hint} Legal keys{place} are {}", listed.join(", "))
}

/// Counts the edits (insertions, deletions, replacements) from one word to the other: the
/// Levenshtein distance.
fn distance(from: &str, to: &str) -> usize {
    // One row of the usual table is enough: a cell depends on its left, upper and upper left
    // neighbours only.
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to.chars()) {
            let edits = (corner + usize::from(a != b)).min(left + 1).min(*cell + 1);
            corner = std::mem::replace(cell, edits);
            left = edits;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (from, to, edits) in [
            ("respons", "response", 1),
            ("metdata", "metadata", 1),
            ("pol", "poll", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), edits, "{from} → {to}");
        }
    }
}
