//! A small cookie store, for services that pin an operation to a replica with a cookie.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, HeaderValue, Uri,
    header::{COOKIE, SET_COOKIE},
};

use crate::{message::Request, url::Origin};

/// The most cookies that are kept. When one more comes, the oldest is dropped, so that a server
/// cannot grow the store without limit.
const MOST_COOKIES: usize = 64;

/// The longest `Set-Cookie` value that is read, in bytes; a longer one is ignored ([RFC 6265,
/// 6.1](https://www.rfc-editor.org/rfc/rfc6265#section-6.1)).
const LONGEST_COOKIE: usize = 4096;

/// The cookies of one client, oldest first.
///
/// `Domain` is ignored: no cookie leaves the origin that set it. `Secure` needs no field of its
/// own, because the scheme is part of the origin.
#[derive(Default)]
pub(crate) struct Cookies(Mutex<Vec<Cookie>>);

/// One cookie: its value, and where and until when it is sent.
struct Cookie {
    origin: Origin,
    path: String,
    name: String,
    value: String,
    expires: Option<SystemTime>,
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookies(…)")
    }
}

impl Cookies {
    /// Stores the cookies that a reply from `uri` sets. One that has expired already removes the
    /// stored one.
    pub(crate) fn store(&self, uri: &Uri, headers: &HeaderMap, now: SystemTime) {
        let Some(origin) = Origin::of(uri) else { return };
        for set in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let Some(cookie) = Cookie::read(set, &origin, uri.path(), now) else { continue };
            // A cookie that is set again moves to the end: the first in the list is the one that
            // the server has not renewed for longest.
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|known| !known.is_same(&cookie));
            if cookie.is_fresh(now) {
                if kept.len() >= MOST_COOKIES {
                    kept.remove(0);
                }
                kept.push(cookie);
            }
        }
    }

    /// Returns `request` with the stored cookies of its origin and path after its own; `None` if no
    /// stored cookie applies.
    pub(crate) fn added_to(&self, request: &Request, now: SystemTime) -> Option<Request> {
        let origin = Origin::of(request.uri())?;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = kept
            .iter()
            .filter(|cookie| cookie.origin == origin && cookie.covers(request.uri().path()) && cookie.is_fresh(now));
        let pairs: Vec<_> = mine.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if pairs.is_empty() {
            return None;
        }
        // Bytes, not text: a caller's cookie may have any, and is to be sent as it is.
        let own = request.headers().get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let all: Vec<_> = own.chain(pairs.iter().map(String::as_bytes)).collect();
        let mut value = HeaderValue::from_bytes(&all.join(&b"; "[..])).ok()?;
        // A cookie may be a credential. Marked as sensitive, it is not shown by `Debug` of the
        // request.
        value.set_sensitive(true);
        let mut request = request.clone();
        request.headers_mut().insert(COOKIE, value);
        Some(request)
    }
}

impl Cookie {
    /// Reads a `Set-Cookie` value ([RFC 6265,
    /// 5.2](https://www.rfc-editor.org/rfc/rfc6265#section-5.2)); `None` if it is not a legal
    /// cookie.
    fn read(set: &str, origin: &Origin, path: &str, now: SystemTime) -> Option<Self> {
        let mut pieces = set.split(';').map(str::trim);
        let (name, value) = pieces.next()?.split_once('=')?;
        // Visible ASCII only: what is sent back later cannot break the `Cookie` header.
        let is_legal = !name.is_empty()
            && set.len() <= LONGEST_COOKIE
            && name.bytes().chain(value.bytes()).all(|byte| byte.is_ascii_graphic());
        // A cookie without `Path` covers the directory of the request (RFC 6265, 5.1.4).
        let parent =
            path.rfind('/').and_then(|slash| path.get(..slash)).filter(|parent| !parent.is_empty()).unwrap_or("/");
        let mut cookie = Self {
            origin: origin.clone(),
            path: parent.to_owned(),
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            expires: None,
        };
        let mut max_age = None;
        for piece in pieces {
            let (attribute, value) = piece.split_once('=').unwrap_or((piece, ""));
            match attribute.to_ascii_lowercase().as_str() {
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "expires" => cookie.expires = httpdate::parse_http_date(value).ok(),
                "max-age" => max_age = value.parse::<i64>().ok(),
                _ => {}
            }
        }
        // Read after the loop: `Max-Age` takes precedence over `Expires`, in whichever order they
        // come (RFC 6265, 5.3).
        if let Some(seconds) = max_age {
            // A negative age is in the past; an age that no clock can hold never expires.
            cookie.expires = u64::try_from(seconds)
                .map_or(Some(SystemTime::UNIX_EPOCH), |seconds| now.checked_add(Duration::from_secs(seconds)));
        }
        is_legal.then_some(cookie)
    }

    /// Whether storing one of the two replaces the other.
    fn is_same(&self, other: &Self) -> bool {
        self.origin == other.origin && self.path == other.path && self.name == other.name
    }

    /// Whether the cookie has not expired at `now`. Without `Expires` and `Max-Age` it lasts as
    /// long as the client.
    fn is_fresh(&self, now: SystemTime) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// Whether a request for `path` gets the cookie ([RFC 6265,
    /// 5.1.4](https://www.rfc-editor.org/rfc/rfc6265#section-5.1.4)): `/x` covers `/x/y` and not
    /// `/xy`.
    fn covers(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&*self.path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    /// The `Cookie` header that a request to `url` gets ten seconds after [`NOW`]; empty if it gets
    /// none.
    fn sent(cookies: &Cookies, url: &str) -> String {
        let request = http::Request::get(url).body(bytes::Bytes::new()).unwrap();
        let later = NOW + Duration::from_secs(10);
        cookies
            .added_to(&request, later)
            .map(|request| request.headers()[COOKIE].to_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    /// Stores the `Set-Cookie` value that a reply from `url` has.
    fn set(cookies: &Cookies, url: &str, value: &str) {
        let headers = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_str(value).unwrap())]);
        cookies.store(&url.parse().unwrap(), &headers, NOW);
    }

    #[test]
    fn a_cookie_goes_back_to_its_origin_and_path_until_it_expires() {
        let cookies = Cookies::default();
        set(&cookies, "https://a.test/x/start", "pin=7; HttpOnly; Secure");
        set(&cookies, "https://a.test/x/start", "all=1; Path=/; Domain=test");
        set(&cookies, "https://a.test/", "old=1; Max-Age=5");
        set(&cookies, "https://a.test/", "new=1; Max-Age=9223372036854775807");
        assert_eq!(sent(&cookies, "https://a.test/x/ops/1"), "pin=7; all=1; new=1");
        assert_eq!(sent(&cookies, "https://a.test/xy"), "all=1; new=1");
        for elsewhere in ["https://b.test/x/ops", "http://a.test/x/ops", "https://a.test:444/x/ops"] {
            assert_eq!(sent(&cookies, elsewhere), "");
        }
        set(&cookies, "https://a.test/x/start", "pin=8");
        set(&cookies, "https://a.test/x/start", "all=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(sent(&cookies, "https://a.test/x/ops/1"), "new=1; pin=8");
    }

    #[test]
    fn cookies_of_the_caller_stay_as_they_are() {
        let cookies = Cookies::default();
        set(&cookies, "https://a.test/", "pin=7");
        let mut request = http::Request::get("https://a.test/ops").body(bytes::Bytes::new()).unwrap();
        for own in [&b"name=J\xfcrg"[..], b"second=1"] {
            request.headers_mut().append(COOKIE, HeaderValue::from_bytes(own).unwrap());
        }
        let sent = cookies.added_to(&request, NOW).unwrap();
        assert_eq!(sent.headers().get_all(COOKIE).iter().count(), 1, "one header, RFC 6265, 5.4");
        assert_eq!(sent.headers()[COOKIE].as_bytes(), b"name=J\xfcrg; second=1; pin=7");
    }

    #[test]
    fn the_store_is_bounded_and_nonsense_is_ignored() {
        let cookies = Cookies::default();
        for n in 0..1000 {
            set(&cookies, "https://a.test/", &format!("n{n}=1"));
        }
        assert_eq!(sent(&cookies, "https://a.test/").split("; ").count(), MOST_COOKIES);
        for nonsense in ["", "=", "novalue", "a b=1", "=x", &format!("long={}", "x".repeat(5000))] {
            let before = sent(&cookies, "https://a.test/");
            set(&cookies, "https://a.test/", nonsense);
            assert_eq!(sent(&cookies, "https://a.test/"), before, "{nonsense}");
        }
    }
}
