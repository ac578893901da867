//! The lists of names: parameters whose values may be shown, parameters and members whose values
//! are known secrets, and headers whose values are none.
//!
//! A list of secrets is never complete, so what is shown follows the list of what is none. Only
//! where a value must survive, because the server gave it to be sent back, does the list of secrets
//! decide.

/// Names of query parameters whose values are shown, and stored although the caller wrote them:
/// words of the protocol, sizes and selections. In the form that [`push_folded`] gives them.
///
/// State that a server hands out, such as a page token, is not among them: it is opaque, and may
/// let its holder in.
const SHOWN: &[&str] = &[
    // Which version of an API, and of which form: without the first, Azure answers no poll.
    "alt",
    "apiversion",
    "comp",
    "format",
    "restype",
    "version",
    "view",
    // What is selected, in a language of the service. OData writes them with a `$`.
    "expand",
    "fields",
    "filter",
    "orderby",
    "select",
    "updatemask",
    // How much, and from where by number.
    "count",
    "limit",
    "maxresults",
    "offset",
    "pagesize",
    "perpage",
    "recursion",
    "skip",
    "top",
    // How the reply is to come.
    "async",
    "prettyprint",
    "timeout",
    "validateonly",
    "wait",
    // Whose operations: the project of Google's APIs and of LXD, without which an operation is not
    // found. An identifier, as those in paths are.
    "project",
];

/// Names of query parameters, and of members in JSON, whose values are never stored, in the form
/// that [`push_folded`] gives them: `access_token`, `access-token` and `accessToken` are one name.
///
/// Whole names only. A rule such as "ends with `token`" would take `pageToken` from the URL of a
/// page, which then could not be asked for again.
const SECRETS: &[&str] = &[
    // OAuth 2.0: RFC 6750, 2.3 (a bearer token in a query); RFC 6749, 2.3.1, 4.1.3, 4.3.2 and 6;
    // RFC 7521, 4 (assertions); RFC 7636 (PKCE); RFC 8628 (device codes). `code` also opens an
    // Azure function.
    "accesstoken",
    "assertion",
    "clientassertion",
    "clientsecret",
    "code",
    "codeverifier",
    "devicecode",
    "idtoken",
    "password",
    "refreshtoken",
    // OAuth 1.0: RFC 5849, 3.5.3. Google's APIs take `oauth_token` as well.
    "oauthsignature",
    "oauthtoken",
    "oauthtokensecret",
    // Google: API keys, and signed URLs of Cloud Storage.
    "googleaccessid",
    "key",
    "privatekeydata",
    "xgoogcredential",
    "xgoogsecuritytoken",
    "xgoogsignature",
    // Azure: shared access signatures of storage; keys of API Management and Cognitive Services, of
    // Search and OpenAI, of Functions; links of SharePoint and OneDrive; what the replies of a
    // Resource Manager have as members, and the parts of a connection string.
    "accountkey",
    "adminpassword",
    "authkey",
    "connectionstring",
    "ocpapimsubscriptionkey",
    "primaryconnectionstring",
    "primarykey",
    "sas",
    "sastoken",
    "sasuri",
    "secondaryconnectionstring",
    "secondarykey",
    "sharedaccesskey",
    "sharedaccesssignature",
    "sig",
    "storageaccountkey",
    "subscriptionkey",
    "tempauth",
    "xfunctionskey",
    // AWS: presigned URLs of Signature Version 4 and of Version 2, and of CloudFront (`Signature`);
    // members of credentials.
    "awsaccesskeyid",
    "secretaccesskey",
    "securitytoken",
    "signature",
    "xamzcredential",
    "xamzsecuritytoken",
    "xamzsignature",
    // Object stores of Alibaba and Tencent.
    "ossaccesskeyid",
    "qsignature",
    "xcossecuritytoken",
    "xosscredential",
    "xosssecuritytoken",
    "xosssignature",
    // GitLab: personal tokens and tokens of CI jobs.
    "jobtoken",
    "privatetoken",
    // Words that many services use for the same things.
    "accesskey",
    "accesskeysecret",
    "apikey",
    "apisecret",
    "apitoken",
    "auth",
    "authorization",
    "authtoken",
    "bearer",
    "bearertoken",
    "credential",
    "credentials",
    "hmac",
    "jwt",
    "passphrase",
    "passwd",
    "privatekey",
    "proxyauthorization",
    "pwd",
    "secret",
    "secretkey",
    "sessiontoken",
    "setcookie",
    "token",
    "xapikey",
    "xauthtoken",
];

/// Names that are secrets in a query, and in prose and in JSON are words of every error: what a
/// service says with them is what a reader looks for.
const NOT_WORDS: &[&str] = &["code"];

/// Names that are secrets in a query and in prose, and in JSON are those of other things: each
/// entry of a map may have a `key`.
const NOT_MEMBERS: &[&str] = &["key"];

/// The number of letters of the longest name in the lists.
pub(super) const LONGEST: usize = 25;

/// Appends the next letter of a name in the form in which names are compared: in lower case, and
/// without what joins words, so that one entry stands for every spelling of a name.
pub(super) fn push_folded(name: &mut String, letter: char) {
    // A name with one letter more than the longest is in no list, however it goes on.
    if !matches!(letter, '-' | '_' | '.' | '$') && name.len() <= LONGEST {
        name.push(letter.to_ascii_lowercase());
    }
}

/// Whether the value of the query parameter `name`, which was folded, may be shown.
pub(super) fn is_shown(name: &str) -> bool {
    SHOWN.contains(&name)
}

/// Whether the value of the query parameter `name`, which was folded, is known to be a secret.
pub(super) fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
}

/// Whether the value of `name`, which was folded, is known to be a secret where `name=value` stands
/// in prose.
pub(super) fn is_secret_word(name: &str) -> bool {
    is_secret(name) && !NOT_WORDS.contains(&name)
}

/// Whether the value of the member `name` of a JSON object, which was folded, is known to be a
/// secret.
pub(super) fn is_secret_member(name: &str) -> bool {
    is_secret_word(name) && !NOT_MEMBERS.contains(&name)
}

/// Headers whose values say nothing of who sends them, in lower case: the form of the message, what
/// is asked of the reply, and ids that a caller looks for in a log.
///
/// Every other value is marked as sensitive. It is sent all the same, and is only not printed.
const PLAIN_HEADERS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "host",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "operation-id",
    "prefer",
    "repeatability-first-sent",
    "repeatability-request-id",
    "te",
    "traceparent",
    "user-agent",
    "x-amz-target",
    "x-goog-api-client",
    "x-goog-request-params",
    "x-goog-user-project",
    "x-ms-client-request-id",
    "x-request-id",
];

/// Whether the value of the header `name`, in lower case, is known to be no credential.
pub(super) fn is_plain_header(name: &str) -> bool {
    PLAIN_HEADERS.contains(&name)
}

/// What a word in the name of a header ends with whose value is a credential, or may be one. With
/// `key` also those by which a service encrypts.
#[cfg(feature = "fleet")]
const SECRET_ENDINGS: &[&str] = &[
    "assertion",
    "auth",
    "authentication",
    "authorization",
    "bearer",
    "cookie",
    "cookie2",
    "credential",
    "credentials",
    "hmac",
    "jwt",
    "key",
    "keys",
    "otp",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "pin",
    "pwd",
    "secret",
    "secrets",
    "session",
    "sig",
    "signature",
    "ticket",
    "token",
    "tokens",
];

/// Whether the value of the header `name`, in lower case, must not be stored: it is a known secret,
/// or its name has a word of one.
///
/// Wider than the list of parameters, because nothing is lost by a name too many: who asks does not
/// store the call.
#[cfg(feature = "fleet")]
pub(crate) fn is_secret_header(name: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let mut folded = String::new();
    name.chars().for_each(|letter| push_folded(&mut folded, letter));
    let is_like_one = is_secret(&folded) || words.any(|word| SECRET_ENDINGS.iter().any(|end| word.ends_with(end)));
    is_like_one && !is_plain_header(name)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every known secret, as it is folded.
    pub(in crate::secrets) const KNOWN: &[&str] = SECRETS;

    fn folded(name: &str) -> String {
        let mut folded = String::new();
        name.chars().for_each(|letter| push_folded(&mut folded, letter));
        folded
    }

    #[test]
    fn the_lists_are_folded_have_no_word_twice_and_do_not_meet() {
        for list in [SHOWN, SECRETS, NOT_WORDS, NOT_MEMBERS] {
            let mut words = list.to_vec();
            words.sort_unstable();
            assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "{words:?}");
            assert!(words.iter().all(|word| **word == folded(word)), "{words:?}");
            assert!(words.iter().all(|word| word.len() <= LONGEST), "the longest name is a number above");
        }
        assert!(!SHOWN.iter().any(|name| is_secret(name)));
    }

    #[test]
    fn every_spelling_of_a_name_is_the_same_name() {
        for name in [
            "subscription-key",
            "x-functions-key",
            "X-API-Key",
            "refresh_token",
            "id_token",
            "auth_token",
            "client-secret",
            "clientSecret",
            "jwt",
            "sas",
            "AccessKey",
            "access_key",
            "connectionString",
        ] {
            assert!(is_secret(&folded(name)), "{name}");
            assert!(is_secret_member(&folded(name)), "{name}");
        }
        for name in ["api-version", "pageSize", "page_size", "$filter", "$top", "prettyPrint", "order_by"] {
            assert!(is_shown(&folded(name)), "{name}");
        }
        for name in ["pageToken", "nextPageToken", "$skiptoken", "signed", "monkey", "", "keys"] {
            assert!(!is_secret(&folded(name)) && !is_shown(&folded(name)), "{name}");
        }
    }

    #[cfg(feature = "fleet")]
    #[test]
    fn a_header_whose_name_has_a_word_of_a_secret_is_not_stored() {
        for secret in [
            "authorization",
            "proxy-authorization",
            "x-ms-authorization-auxiliary",
            "cookie",
            "x-goog-api-key",
            "x-api-key",
            "apikey",
            "ocp-apim-subscription-key",
            "x-goog-iam-authorization-token",
            "x-amz-security-token",
            "x-amz-server-side-encryption-customer-key-md5",
            "private-token",
            "x-auth-user",
            "x_authtoken",
            "x-vault-token",
            "x-hub-signature-256",
            "x-pin",
        ] {
            assert!(is_secret_header(secret), "{secret}");
        }
        assert!(KNOWN.iter().all(|name| is_secret_header(name)));
        for plain in PLAIN_HEADERS {
            assert!(!is_secret_header(plain), "{plain}");
        }
        for other in ["x-tenant", "x-design", "openai-beta", "x-keyboard", "x-author", "x-ms-version", "x"] {
            assert!(!is_secret_header(other), "{other}");
        }
    }

    #[test]
    fn a_header_is_plain_only_if_it_is_known_to_be() {
        for secret in ["authorization", "cookie", "x-goog-api-key", "private-token", "x-vault-token", "x-pin", "x"] {
            assert!(!is_plain_header(secret), "{secret}");
        }
        for plain in ["accept", "content-type", "idempotency-key", "user-agent"] {
            assert!(is_plain_header(plain), "{plain}");
        }
    }
}
