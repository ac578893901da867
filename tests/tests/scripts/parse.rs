//! Reads a script. `tests/scripts/README.md` describes the format.

use std::time::Duration;

/// One script.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) dialect: String,
    pub(crate) base: String,
    pub(crate) options: Vec<(String, String)>,
    pub(crate) client_headers: Vec<(String, String)>,
    pub(crate) allowed: Vec<String>,
    pub(crate) allowed_with_credentials: Vec<String>,
    pub(crate) cookies: bool,
    pub(crate) start_id: Option<String>,
    pub(crate) start_retries: Option<u32>,
    /// `PollSettings` as JSON.
    pub(crate) settings: Option<String>,
    /// The name to resume from, instead of a start call.
    pub(crate) resume: Option<String>,
    pub(crate) steps: Vec<Step>,
    pub(crate) end: End,
}

/// One request and its reply, and what the snapshot after it must be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    /// The call in place of a poll: `cancel`, `delete`, `wait 10s`.
    pub(crate) call: Option<String>,
    pub(crate) method: String,
    pub(crate) target: String,
    /// The virtual time between the previous reply and this request.
    pub(crate) after: Option<Duration>,
    pub(crate) headers: Vec<(String, String)>,
    /// Headers that the request must not have.
    pub(crate) absent: Vec<String>,
    pub(crate) body: Option<String>,
    pub(crate) reply: Reply,
    pub(crate) expected: Vec<(String, String)>,
}

/// What the service does with a request.
#[derive(Clone, Debug, Default)]
pub(crate) enum Reply {
    #[default]
    None,
    /// Closes the connection.
    Drop,
    /// Never answers.
    Hang,
    Http {
        status: u16,
        headers: Vec<(String, Vec<u8>)>,
        body: Vec<u8>,
    },
}

/// How the script must end.
#[derive(Debug, Default)]
pub(crate) struct End {
    /// A state, or `error` and the kind of the error.
    pub(crate) word: String,
    pub(crate) facts: Vec<(String, String)>,
}

/// The part of a script that a line is in.
#[derive(PartialEq)]
enum Part {
    Head,
    Request,
    RequestBody,
    Reply,
    ReplyBody,
    Expected,
    End,
}

/// Parses a script. The error names the line.
pub(crate) fn script(text: &str) -> Result<Script, String> {
    let mut script = Script { base: "https://api.test".to_owned(), ..Script::default() };
    let mut part = Part::Head;
    let mut call = None;
    for (index, line) in text.lines().enumerate() {
        let wrong = |why: &str| Err(format!("line {}: {why}: `{line}`", index + 1));
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (mark, rest) = line.split_at(1);
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match mark {
            ">" => {
                if !matches!(part, Part::Request | Part::RequestBody) {
                    script.steps.push(request_line(rest, call.take())?);
                    part = Part::Request;
                    continue;
                }
                let Some(step) = script.steps.last_mut() else { return wrong("no request") };
                if part == Part::RequestBody {
                    append(step.body.get_or_insert_default(), rest);
                } else if rest.is_empty() {
                    part = Part::RequestBody;
                } else if let Some(absent) = rest.strip_prefix('!') {
                    step.absent.push(absent.trim().to_owned());
                } else {
                    step.headers.push(pair(rest, ':')?);
                }
            }
            "<" => {
                let Some(step) = script.steps.last_mut() else { return wrong("a reply without a request") };
                match (&mut step.reply, &part) {
                    (Reply::None, _) => {
                        step.reply = status_line(rest)?;
                        part = Part::Reply;
                    }
                    (Reply::Http { body, .. }, Part::ReplyBody) => append_bytes(body, &bytes_of(rest)?),
                    (Reply::Http { .. }, Part::Reply) if rest.is_empty() => part = Part::ReplyBody,
                    (Reply::Http { headers, .. }, Part::Reply) => {
                        let (name, value) = pair(rest, ':')?;
                        headers.push((name, bytes_of(&value)?));
                    }
                    _ => return wrong("a reply where none can be"),
                }
            }
            "=" => {
                let Some(step) = script.steps.last_mut() else { return wrong("an expectation without a request") };
                let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                step.expected.push((word.to_owned(), rest.to_owned()));
                part = Part::Expected;
            }
            _ if part == Part::End => script.end.facts.push(word(line)),
            _ => match word(line) {
                (first, rest) if first == "end" => {
                    script.end.word = rest;
                    part = Part::End;
                }
                (first, rest) if first == "do" => call = Some(rest),
                (first, rest) if first == "repeat" => {
                    let Some(last) = script.steps.last().cloned() else { return wrong("nothing to repeat") };
                    let times: usize = rest.parse().map_err(|_| format!("line {}: not a number", index + 1))?;
                    script.steps.extend(std::iter::repeat_n(last, times.saturating_sub(1)));
                }
                (first, rest) if part == Part::Head => {
                    head(&mut script, &first, rest).map_err(|why| format!("line {}: {why}", index + 1))?;
                }
                _ => return wrong("neither `>`, `<`, `=`, `do`, `repeat` nor `end`"),
            },
        }
    }
    if script.end.word.is_empty() { Err("the script has no `end`".to_owned()) } else { Ok(script) }
}

/// Reads one line of the head.
fn head(script: &mut Script, first: &str, rest: String) -> Result<(), String> {
    match first {
        "dialect" => script.dialect = rest,
        "base" => script.base = rest,
        "option" => script.options.push(pair(&rest, '=')?),
        "header" => script.client_headers.push(pair(&rest, ':')?),
        "allow" => script.allowed.push(rest),
        "allow-with-credentials" => script.allowed_with_credentials.push(rest),
        "cookies" => script.cookies = true,
        "start-id" => script.start_id = Some(rest),
        "start-retries" => script.start_retries = Some(rest.parse().map_err(|_| "start-retries: not a number")?),
        "settings" => script.settings = Some(rest),
        "resume" => script.resume = Some(rest),
        other => return Err(format!("`{other}` is no setting of a script")),
    }
    Ok(())
}

/// Reads `METHOD TARGET [+DELAY]`.
fn request_line(line: &str, call: Option<String>) -> Result<Step, String> {
    let line = expanded(line);
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(format!("`> {line}`: expected a method and a target"));
    };
    let after = words
        .next()
        .map(|wait| {
            wait.strip_prefix('+').and_then(seconds).ok_or_else(|| format!("`{wait}`: expected a wait such as `+1.5s`"))
        })
        .transpose()?;
    Ok(Step { call, method: method.to_owned(), target: target.to_owned(), after, ..Step::default() })
}

fn status_line(line: &str) -> Result<Reply, String> {
    match line {
        "drop" => Ok(Reply::Drop),
        "hang" => Ok(Reply::Hang),
        status => match status.parse() {
            Ok(status @ 100..=999) => Ok(Reply::Http { status, headers: vec![], body: vec![] }),
            _ => Err(format!("`< {status}`: expected a status, `drop` or `hang`")),
        },
    }
}

/// Reads a number of seconds, such as `1.5s`.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.strip_suffix('s')?.parse().ok()?).ok()
}

fn word(line: &str) -> (String, String) {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    (first.to_owned(), rest.trim().to_owned())
}

fn pair(line: &str, separator: char) -> Result<(String, String), String> {
    let (name, value) = line.split_once(separator).ok_or_else(|| format!("`{line}`: expected a `{separator}`"))?;
    Ok((name.trim().to_owned(), expanded(value.trim())))
}

/// Expands repetitions: `$(a*3)` becomes `aaa`.
fn expanded(text: &str) -> String {
    let Some((before, rest)) = text.split_once("$(") else { return text.to_owned() };
    let Some((inside, after)) = rest.split_once(')') else { return text.to_owned() };
    match inside.rsplit_once('*').map(|(what, times)| (what, times.parse::<usize>())) {
        Some((what, Ok(times))) => format!("{before}{}{}", what.repeat(times), expanded(after)),
        _ => text.to_owned(),
    }
}

/// Returns the bytes of a line, in which `\xNN` stands for one byte.
fn bytes_of(line: &str) -> Result<Vec<u8>, String> {
    let line = expanded(line);
    let mut pieces = line.split("\\x");
    let mut out = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let hex = piece.get(..2).ok_or("`\\x` without two digits")?;
        out.push(u8::from_str_radix(hex, 16).map_err(|_| format!("`\\x{hex}` is not a byte"))?);
        out.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
    }
    Ok(out)
}

fn append(body: &mut String, line: &str) {
    if !body.is_empty() {
        body.push('\n');
    }
    body.push_str(line);
}

fn append_bytes(body: &mut Vec<u8>, line: &[u8]) {
    if !body.is_empty() {
        body.push(b'\n');
    }
    body.extend_from_slice(line);
}
