//! Judges where requests go by their text, so that it shares no code with the library.

use lro_runtime::transport::Request;

/// The origin of every client here, as [`origin`] writes it.
pub const OWN: &str = "https://api.test:443";

/// Returns scheme, host and port of a request's URL, in small letters. Anything odd, such as user
/// info, stays in the text, and so makes another origin of it.
#[must_use]
pub fn origin(request: &Request) -> String {
    let text = request.uri().to_string().to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://").unwrap_or(("", &text));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let standard = match scheme {
        "https" => 443,
        "http" => 80,
        _ => 0,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, port.parse().unwrap_or(0))
        }
        _ => (authority, standard),
    };
    format!("{scheme}://{host}:{port}")
}
