//! Credentials: from the environment and from files, and never from the arguments, which every user
//! of the machine can read.

use std::{env, fs, io::Read as _, path::Path};

use lro_runtime::{
    CredentialsError, bearer,
    http::{HeaderMap, HeaderName, HeaderValue},
};

use crate::{
    args::Service,
    out::{hide, tell},
    outcome::Problem,
};

/// The largest file of credentials that is read.
const MOST: u64 = 64 * 1024;

/// Where the credentials of each request come from.
pub struct Source {
    headers: HeaderMap,
    /// The file of the bearer token, unless it is a pipe. It is read again before each request: a
    /// long wait outlives the token that it began with, and another program may write the next one.
    bearer_file: Option<std::path::PathBuf>,
}

impl Source {
    /// Reads the credentials that the arguments name; `None` if they name none.
    pub fn of(service: &Service) -> Result<Option<Self>, Problem> {
        let mut headers = HeaderMap::new();
        if let Some(variable) = &service.headers_env {
            parse(&variable_of("--headers-env", variable)?, &mut headers)
                .map_err(|why| Problem::usage(format!("the variable of --headers-env: {why}")))?;
        }
        if let Some(file) = &service.headers_file {
            warn_if_others_can_read(file);
            let text = read(file).map_err(Problem::usage)?;
            parse(&text, &mut headers).map_err(|why| Problem::usage(format!("`{}`: {why}", file.display())))?;
        }
        if let Some(variable) = &service.bearer_env {
            let token = variable_of("--bearer-env", variable)?;
            let token =
                token_of(&token).map_err(|why| Problem::usage(format!("the variable of --bearer-env: {why}")))?;
            headers.extend(token);
        }
        if let Some(file) = &service.bearer_file {
            warn_if_others_can_read(file);
            // Read here in any case, so that a mistake is found before the first request.
            headers.extend(headers_of(file).map_err(Problem::usage)?);
        }
        // A pipe, such as a shell's process substitution, can be read once only.
        let bearer_file = service.bearer_file.clone().filter(|file| file.is_file());
        let source = Self { headers, bearer_file };
        Ok(Some(source).filter(|source| !source.headers.is_empty()))
    }

    /// Returns the headers of the next request.
    pub fn headers(&self) -> Result<HeaderMap, CredentialsError> {
        let mut headers = self.headers.clone();
        if let Some(file) = &self.bearer_file {
            headers.extend(headers_of(file)?);
        }
        Ok(headers)
    }
}

/// Returns the value of the environment variable that an option names.
pub fn variable_of(option: &str, name: &str) -> Result<String, Problem> {
    env::var(name).map_err(|error| {
        // What is no name of a variable may be the secret itself, given in its place by mistake.
        let is_name =
            name.len() <= 64 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let shown = if is_name { format!("`{name}`") } else { "(not shown: it does not look like a name)".to_owned() };
        let why = match error {
            env::VarError::NotPresent => "is not set",
            env::VarError::NotUnicode(_) => "is not UTF-8",
        };
        Problem::usage(format!("{option}: the environment variable {shown} {why}"))
    })
}

/// Reads the header of the bearer token in a file.
fn headers_of(file: &Path) -> Result<HeaderMap, String> {
    token_of(&read(file)?).map_err(|why| format!("`{}`: {why}", file.display()))
}

fn token_of(text: &str) -> Result<HeaderMap, String> {
    let token = text.trim();
    if token.is_empty() {
        return Err("it is empty; expected a bearer token".to_owned());
    }
    hide(token);
    bearer(token).map_err(|_| "it is no bearer token: expected one line of ASCII".to_owned())
}

/// Reads a small file as text.
fn read(file: &Path) -> Result<String, String> {
    let fail = |why: &dyn std::fmt::Display| format!("cannot read `{}`: {why}", file.display());
    let mut text = String::new();
    let opened = fs::File::open(file).map_err(|error| fail(&error))?;
    opened.take(MOST + 1).read_to_string(&mut text).map_err(|error| fail(&error))?;
    if text.len() as u64 > MOST { Err(fail(&"it has more than 64 KiB")) } else { Ok(text) }
}

/// Reads headers, one `Name: value` on a line. Errors show no value.
fn parse(text: &str, headers: &mut HeaderMap) -> Result<(), String> {
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) =
            line.split_once(':').ok_or_else(|| format!("line {number} has no `:`; expected `Name: value`"))?;
        let name = HeaderName::try_from(name.trim())
            .map_err(|_| format!("line {number}: what stands before `:` is no name of a header"))?;
        let mut value = HeaderValue::try_from(value.trim())
            .map_err(|_| format!("line {number}: the value of `{name}` cannot be sent in a header"))?;
        if is_secret(&name) {
            // After the scheme, such as `Basic`, if there is one.
            let shown = value.to_str().unwrap_or_default();
            hide(shown.rsplit(' ').next().unwrap_or_default());
        }
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(())
}

/// Whether the values of a header are secrets, by its name. Others may be in the names of
/// operations, which have to be shown.
fn is_secret(name: &HeaderName) -> bool {
    ["auth", "cookie", "key", "secret", "token"].iter().any(|word| name.as_str().contains(word))
}

/// Warns of a file of secrets that other users of the machine can read.
fn warn_if_others_can_read(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let Ok(found) = fs::metadata(file) else { return };
        let mode = found.permissions().mode() & 0o777;
        if found.is_file() && mode & 0o044 != 0 {
            let file = file.display();
            tell(&format!("warning: other users can read `{file}` (mode {mode:03o}): chmod 600 {file}"));
        }
    }
    #[cfg(not(unix))]
    let _ = (file, tell);
}
