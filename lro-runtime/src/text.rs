//! Bytes from a server, made fit to print.

/// How many characters of a body an error may show.
const EXCERPT: usize = 120;

/// The beginning of `bytes`, escaped, at most about 120 characters.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let head = bytes.get(..EXCERPT).unwrap_or(bytes);
    let mut out: String = String::from_utf8_lossy(head)
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect();
    if head.len() < bytes.len() {
        out.push('…');
    }
    out
}
