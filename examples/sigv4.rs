//! Signs every request with AWS's Signature Version 4: credentials that see the request.
//!
//! The signature covers method, URL, headers and body, so it is made anew for the start call and
//! for each poll. `aws-sigv4` makes it; its tests below are AWS's own.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use futures_lite::future::block_on;
use http::{HeaderMap, HeaderName, HeaderValue};
use lro_runtime::{
    Credentials, CredentialsError, Operations, PollSettings, RawOperation, Result, long_running,
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::{BoxFuture, Request},
};

/// Signs requests to one service in one region.
struct SigV4 {
    credentials: AwsCredentials,
    region: &'static str,
    service: &'static str,
    clock: fn() -> SystemTime,
}

impl SigV4 {
    /// Returns the headers that sign `request`: the time, the signature, and the session token if
    /// the credentials have one.
    fn sign(&self, request: &Request) -> Result<HeaderMap, CredentialsError> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time((self.clock)())
            .settings(SigningSettings::default())
            .build()?
            .into();
        // A value that is not text cannot be signed, which is said rather than left out.
        let headers: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| value.to_str().map(|value| (name.as_str(), value)))
            .collect::<Result<_, _>>()?;
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.uri().to_string(),
            headers.into_iter(),
            SignableBody::Bytes(request.body()),
        )?;
        let (instructions, _signature) = sign(signable, &parameters)?.into_parts();
        let signed = instructions
            .headers()
            .map(|(name, value)| Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?)));
        signed.collect()
    }
}

// A type of its own, because the SDK keeps it in a field and prints it. A function would do:
// `signed_by(move |request| …)`.
impl Credentials for SigV4 {
    fn headers<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<HeaderMap, CredentialsError>> {
        Box::pin(async move { self.sign(request) })
    }
}

impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigV4({} in {})", self.service, self.region)
    }
}

struct VolumeClient {
    operations: Operations,
}

#[long_running]
impl VolumeClient {
    /// Copies a volume.
    #[long_running(response = String, metadata = ())]
    async fn copy_volume(&self, from: &str) -> Result<RawOperation> {
        self.operations.post("v1/volumes:copy", &serde_json::json!({ "from": from })).await
    }
}

fn main() -> Result<()> {
    let transport = ScriptedTransport::new(Script::new().running(2).done("vol-2"));
    let clock = VirtualClock::new();
    let signer = SigV4 {
        credentials: AwsCredentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            None,
            None,
            "example",
        ),
        region: "eu-central-1",
        service: "ec2",
        clock: || SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600),
    };
    let operations = Operations::builder("https://ec2.eu-central-1.amazonaws.com")
        .credentials(signer)
        .transport(transport.clone())
        .timer(clock)
        .build()?;
    let client = VolumeClient { operations };

    let done = block_on(client.copy_volume("vol-1"))?;
    let copied = block_on(done.poll_until_completed(PollSettings::default()))?.into_result()?;
    let requests = transport.requests();
    for request in &requests {
        println!("{} {}", request.method(), request.uri().path());
        println!(
            "    {}",
            request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or("unsigned")
        );
    }
    println!("{copied}, with {} signed requests", requests.len());
    Ok(())
}

/// The test suite of Signature Version 4 that AWS publishes with its documentation ("Signature
/// Version 4 test suite"), in the form in which `aws-sigv4` ships it
/// (`aws-signing-test-suite/v4/<name>/{request,header-signature}.txt`).
#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]

    use bytes::Bytes;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// Name, method, target, headers, body, and the signature that must come out.
    type Vector =
        (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

    const VECTORS: &[Vector] = &[
        ("get-vanilla", "GET", "/", &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "/?Param2=value2&Param1=value1",
            &[],
            "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-empty-query-key",
            "GET",
            "/?Param1=value1",
            &[],
            "",
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        ),
        (
            "get-unreserved",
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            &[],
            "",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-header-value-trim",
            "GET",
            "/",
            &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        ("post-vanilla", "POST", "/", &[], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "post-vanilla-query",
            "POST",
            "/?Param1=value1",
            &[],
            "",
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
        (
            "post-header-key-sort",
            "POST",
            "/",
            &[("my-header1", "value1")],
            "",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-header-value-case",
            "POST",
            "/",
            &[("my-header1", "VALUE1")],
            "",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST",
            "/",
            &[
                ("content-type", "application/x-www-form-urlencoded"),
                ("content-length", "13"),
                ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
            ],
            "Param1=value1",
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
    ];

    #[test]
    fn requests_are_signed_as_in_the_test_suite_of_aws() {
        for (name, method, target, headers, body, signature) in VECTORS {
            let signer = SigV4 {
                credentials: AwsCredentials::new("AKIDEXAMPLE", SECRET, None, None, "test"),
                region: "us-east-1",
                service: "service",
                clock: || SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160), // 2015-08-30T12:36:00Z
            };
            let mut request =
                http::Request::builder().method(*method).uri(format!("https://example.amazonaws.com{target}"));
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let headers = signer.sign(&request.body(Bytes::from_static(body.as_bytes())).unwrap()).unwrap();
            assert_eq!(headers["x-amz-date"], "20150830T123600Z", "{name}");
            let authorization = headers["authorization"].to_str().unwrap();
            assert!(authorization.ends_with(&format!("Signature={signature}")), "{name}: {authorization}");
        }
    }

    #[test]
    fn another_body_is_another_signature() {
        let signer = SigV4 {
            credentials: AwsCredentials::new("AKIDEXAMPLE", SECRET, Some("session".to_owned()), None, "test"),
            region: "us-east-1",
            service: "service",
            clock: || SystemTime::UNIX_EPOCH,
        };
        let sign = |body: &'static [u8]| {
            let request = http::Request::post("https://example.amazonaws.com/").body(Bytes::from_static(body));
            signer.sign(&request.unwrap()).unwrap()
        };
        let (one, other) = (sign(b"Param1=value1"), sign(b"Param1=value2"));
        assert_ne!(one["authorization"], other["authorization"]);
        assert_eq!(one["x-amz-security-token"], "session");
    }
}
