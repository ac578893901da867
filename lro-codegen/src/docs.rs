//! Comments of descriptions as rustdoc.
//!
//! Descriptions have Markdown, HTML, links in three notations, and words that rustdoc or clippy
//! stumble over. So only paragraphs, lists and code are kept; everything else that could mean
//! something to rustdoc is put between backticks, where nothing means anything.

/// How wide documentation is, without indentation and slashes.
const WIDTH: usize = 92;

/// The longest text that is kept: some descriptions hold a whole manual.
const LONGEST: usize = 6_000;

/// Says where rustdoc finds what a description links to, by its name there.
pub(crate) type Find<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Returns `text` as lines of Markdown that rustdoc reads without a warning, wherever it came from.
/// No line has control characters, and the first is not empty.
pub(crate) fn markdown(text: &str) -> Vec<String> {
    linked(text, &|_| None)
}

/// Returns the same, with links to what `find` finds.
pub(crate) fn linked(text: &str, find: Find<'_>) -> Vec<String> {
    let text = without_html(&cut(text));
    let mut lines: Vec<String> = vec![];
    let mut was_item = false;
    for block in blocks(&text) {
        let (first, next, is_item) = match block.kind {
            Kind::Paragraph => ("", "", false),
            Kind::Item => ("- ", "  ", true),
        };
        let wrapped = wrapped(&words(&block.text, find), first, next);
        if wrapped.is_empty() {
            continue;
        }
        // A list follows what introduces it after an empty line; its items stand together.
        let goes_on = is_item && was_item;
        if !lines.is_empty() && !goes_on {
            lines.push(String::new());
        }
        was_item = is_item;
        lines.extend(wrapped);
    }
    lines
}

/// Returns `text` in one line of Markdown, for the middle of a sentence of ours.
pub(crate) fn inline(text: &str) -> String {
    words(&without_html(&cut(text)), &|_| None).join(" ")
}

fn cut(text: &str) -> String {
    let end = text.char_indices().map(|(at, _)| at).nth(LONGEST);
    let kept = end.and_then(|end| text.get(..end)).unwrap_or(text);
    let mut kept: String = kept.chars().filter(|c| is_printable(*c)).collect();
    if end.is_some() {
        kept.push_str(" …");
    }
    kept
}

/// Control characters and those that change the direction of text are neither code nor prose.
fn is_printable(c: char) -> bool {
    let changes_direction = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c == '\n' || c == '\t' || !(c.is_control() || changes_direction || c == '\u{feff}' || c == '\u{200b}')
}

/// Replaces tags and entities. What is no tag, such as `<name>`, stays.
fn without_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let tag = after.find('>').and_then(|end| Some((after.get(..end)?, after.get(end + 1..)?)));
        if let Some((replacement, after)) = tag.and_then(|(tag, after)| Some((replaced(tag)?, after))) {
            out.push_str(replacement);
            rest = after;
        } else {
            out.push('<');
            rest = after;
        }
    }
    out.push_str(rest);
    for (entity, text) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
    {
        if out.contains(entity) {
            out = out.replace(entity, text);
        }
    }
    out
}

/// Returns what stands in the place of an HTML tag, or `None` if it is none.
fn replaced(tag: &str) -> Option<&'static str> {
    let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next()?.to_ascii_lowercase();
    match name.as_str() {
        "p" | "br" | "ul" | "ol" | "div" | "table" | "tr" | "h1" | "h2" | "h3" | "h4" | "pre" | "dl" | "dt" | "dd"
        | "section" | "aside" => Some("\n\n"),
        "li" if tag.starts_with('/') => Some("\n"),
        "li" => Some("\n- "),
        "code" | "tt" => Some("`"),
        "b" | "i" | "em" | "strong" | "a" | "span" | "td" | "th" | "sup" | "sub" | "u" | "var" | "tbody" | "thead"
        | "font" | "small" | "img" | "devsite-nav" => Some(""),
        _ => None,
    }
}

enum Kind {
    Paragraph,
    Item,
}

struct Block {
    kind: Kind,
    text: String,
}

/// Splits a text at empty lines, headings and items of lists.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = vec![];
    let mut is_open = false;
    for line in text.lines() {
        let line = line.trim();
        // The lines of a table and the fences of code have no meaning of their own.
        let is_rule =
            line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | '|' | ':' | ' ' | '~')) || line.starts_with("```");
        if is_rule {
            is_open = false;
            continue;
        }
        if let Some(heading) = line.strip_prefix('#') {
            blocks.push(Block { kind: Kind::Paragraph, text: heading.trim_matches(['#', ' ']).to_owned() });
            is_open = false;
        } else if let Some(item) = item(line) {
            blocks.push(Block { kind: Kind::Item, text: item.to_owned() });
            is_open = true;
        } else if let Some(block) = blocks.last_mut().filter(|_| is_open) {
            block.text.push(' ');
            block.text.push_str(line);
        } else {
            blocks.push(Block { kind: Kind::Paragraph, text: line.to_owned() });
            is_open = true;
        }
    }
    blocks
}

/// Returns the text of an item of a list.
fn item(line: &str) -> Option<&str> {
    let unnumbered = ["- ", "* ", "+ ", "• "].into_iter().find_map(|mark| line.strip_prefix(mark));
    unnumbered.or_else(|| {
        let (number, rest) = line.split_once(". ").or_else(|| line.split_once(") "))?;
        let is_number = !number.is_empty() && number.len() < 3 && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(rest)
    })
}

/// Splits prose into words that mean nothing but themselves: code between backticks, URLs between
/// angles. A word may hold spaces, if it is code.
fn words(text: &str, find: Find<'_>) -> Vec<String> {
    let mut out = vec![];
    let mut rest = text;
    loop {
        let prose = rest.find(['`', '[']).unwrap_or(rest.len());
        let (before, after) = rest.split_at(prose);
        push_prose(&mut out, before);
        if after.is_empty() {
            return out;
        }
        let Some((word, after)) = code(after).or_else(|| link(after, find)) else {
            // A backtick or a bracket that nothing closes.
            out.extend(after.starts_with('[').then(|| "`[`".to_owned()));
            rest = after.get(1..).unwrap_or_default();
            continue;
        };
        let (end, after) = end_of_word(after);
        let is_glued = before.ends_with(['(', '"', '\'', '/']);
        match out.last_mut().filter(|_| is_glued) {
            Some(last) => last.extend([word.as_str(), end]),
            None if word.is_empty() => {}
            None => out.push(format!("{word}{end}")),
        }
        rest = after;
    }
}

/// Splits off what belongs to the code before it: punctuation, and the `s` of a plural.
fn end_of_word(text: &str) -> (&str, &str) {
    let is_plural = text.starts_with('s') && !text.chars().nth(1).is_some_and(char::is_alphanumeric);
    let end = text.char_indices().find(|(at, c)| {
        let is_end = matches!(c, '.' | ',' | ';' | ':' | ')' | '!' | '?' | '\'' | '"') || (*at == 0 && is_plural);
        !is_end
    });
    text.split_at(end.map_or(text.len(), |(at, _)| at))
}

/// Reads code between backticks.
fn code(text: &str) -> Option<(String, &str)> {
    let ticks = text.len() - text.trim_start_matches('`').len();
    if ticks == 0 {
        return None;
    }
    let fence = text.get(..ticks)?;
    let (code, after) = text.get(ticks..)?.split_once(fence)?;
    let code = code.replace('`', "'");
    let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
    Some((if code.is_empty() { code } else { format!("`{code}`") }, after.trim_start_matches('`')))
}

/// Reads `[text]`, `[text](url)` and `[text][name]`. Names of messages are code.
fn link<'t>(text: &'t str, find: Find<'_>) -> Option<(String, &'t str)> {
    let (inner, after) = text.strip_prefix('[')?.split_once(']')?;
    if inner.contains('[') || inner.is_empty() {
        return None;
    }
    let target = after.strip_prefix('(').and_then(|after| after.split_once(')'));
    let name = after.strip_prefix('[').and_then(|after| after.split_once(']'));
    let shown = words(inner, find).join(" ");
    Some(match (target, name) {
        (Some((url, after)), _) => {
            (format!("{shown}{}", autolink(url.trim()).map_or(String::new(), |url| format!(" ({url})"))), after)
        }
        (None, Some((name, after))) => match find(name) {
            // What is named as it is found needs no path, and rustdoc wants none.
            Some(path) if path == inner => (format!("[{}]", as_code(inner)), after),
            Some(path) => (format!("[{}]({path})", as_code(inner)), after),
            None => (as_code(inner), after),
        },
        // `[0, 100)` is an interval, `[google.rpc.Status]` a name.
        (None, None) if inner.contains('.') || inner.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            (as_code(inner), after)
        }
        (None, None) => (format!("`[{}]`", inner.replace('`', "'").trim()), after),
    })
}

fn as_code(name: &str) -> String {
    format!("`{}`", name.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" "))
}

fn autolink(url: &str) -> Option<String> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_plain =
        url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'`' | b'\\' | b'"'));
    (is_web && is_plain).then(|| format!("<{url}>"))
}

fn push_prose(out: &mut Vec<String>, prose: &str) {
    for word in prose.split_whitespace() {
        let word = without_emphasis(word);
        let start = word.find(|c: char| !matches!(c, '(' | '"' | '\'' | ',')).unwrap_or(word.len());
        let (before, core) = word.split_at(start);
        let end = core.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"', '\'']).len();
        let (core, after) = core.split_at(end);
        // `(s)` and `f()` have their own brackets.
        let (core, after) =
            if core.contains('(') && after.starts_with(')') { word.split_at(start + end + 1) } else { (core, after) };
        let core = core.strip_prefix(before).filter(|_| core.len() > end).unwrap_or(core);
        let core = match autolink(core) {
            Some(url) => url,
            None if is_plain(core) => core.to_owned(),
            None => format!("`{}`", core.replace('`', "'")),
        };
        // Two colons announce a block of code in some notations; clippy takes them for a path.
        let word = format!("{before}{core}{}", after.replace("::", ":"));
        if !word.is_empty() {
            out.push(word);
        }
    }
}

/// Removes the marks of emphasis around a word; those inside of it belong to it, as in `a/*`.
fn without_emphasis(word: &str) -> &str {
    let inner = word.trim_start_matches(['*', '_']);
    let word = if inner.starts_with(char::is_alphanumeric) { inner } else { word };
    // The mark may stand before the end of a sentence.
    let inner = match word.strip_suffix(['.', ',', ':', ';']).and_then(|word| word.strip_suffix(['*', '_'])) {
        Some(inner) => inner,
        None => word.trim_end_matches(['*', '_']),
    };
    let inner = inner.trim_end_matches(['*', '_']);
    if word.contains('/') || !inner.ends_with(|c: char| c.is_alphanumeric() || c.is_ascii_punctuation()) {
        word
    } else {
        inner
    }
}

/// Returns whether a word is prose: neither a name of code nor something that Markdown reads.
fn is_plain(word: &str) -> bool {
    let is_prose = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '-' | '\''
                    | '’'
                    | '.'
                    | ','
                    | '%'
                    | '('
                    | ')'
                    | '"'
                    | '+'
                    | '…'
                    | '–'
                    | '—'
                    | '“'
                    | '”'
                    | ';'
                    | '!'
                    | '?'
            )
            || (!c.is_ascii() && c != '｀')
    };
    // "and/or" is prose, "a/b/c" and "/v1" are paths.
    let is_choice = word
        .split_once('/')
        .is_some_and(|(a, b)| [a, b].iter().all(|part| part.len() > 1 && part.chars().all(char::is_alphabetic)));
    let upper = word.chars().filter(|c| c.is_uppercase()).count();
    let is_camel = upper > 1 && word.chars().any(char::is_lowercase);
    let is_dotted = word.split('.').filter(|part| part.len() > 1).count() > 1;
    let is_call = word.contains("()");
    !is_camel && !is_dotted && !is_call && (is_choice || word.chars().all(is_prose))
}

/// Breaks words into lines, none of which begins with something that Markdown reads.
fn wrapped(words: &[String], first: &str, next: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if line.is_empty() {
            line.push_str(if lines.is_empty() { first } else { next });
            line.push_str(&escaped_start(word));
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A dash or a number at the start of a line would begin a list.
fn escaped_start(word: &str) -> String {
    let is_dash = word.starts_with(['-', '+']);
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let is_number = digits > 0 && digits < 10 && matches!(word.get(digits..), Some("." | ")"));
    match (is_dash, is_number) {
        (true, _) => format!("\\{word}"),
        (_, true) => format!("{}\\{}", word.get(..digits).unwrap_or_default(), word.get(digits..).unwrap_or_default()),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests;
