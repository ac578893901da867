//! What to say about an unknown key: the one that was probably meant, and the legal ones.

/// The key that was probably meant.
pub(crate) fn nearest<'a>(key: &str, legal: &[&'a str]) -> Option<&'a str> {
    let (edits, word) = legal.iter().map(|word| (distance(key, word), *word)).min()?;
    (edits <= 2 && edits < word.len()).then_some(word)
}

/// The message for an unknown key: `candidates` may have been meant, `listed` are named, `place` says where they are legal.
pub(crate) fn unknown_key(key: &str, candidates: &[&str], place: &str, listed: &[&str]) -> String {
    let hint = match nearest(key, candidates) {
        Some(word) => format!("; did you mean `{word}`?"),
        None => ".".to_owned(),
    };
    let listed: Vec<String> = listed.iter().map(|word| format!("`{word}`")).collect();
    format!("unknown key `{key}`{hint} Legal keys{place} are {}", listed.join(", "))
}

/// Edits (insertions, deletions, replacements) from one word to the other.
fn distance(from: &str, to: &str) -> usize {
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
