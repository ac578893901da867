//! Throttles in words: replies whose HTTP status says "forbidden" or "bad request" and whose reason
//! says "not so fast".

use super::{Status, details::Detail};

/// Reasons that say that calls come too fast, wherever the reply has its reason: in `error.code`,
/// in `error.errors[].reason` or in an `ErrorInfo`. The same call succeeds later.
const RATE_LIMITS: &[&str] = &[
    // `error.errors[].reason` of Google's REST APIs, with HTTP 403: BigQuery's list
    // (https://cloud.google.com/bigquery/docs/error-messages) and Drive's
    // (https://developers.google.com/workspace/drive/api/guides/handle-errors).
    "rateLimitExceeded",
    "userRateLimitExceeded",
    // `ErrorInfo.reason` of every Google API
    // (https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto).
    "RATE_LIMIT_EXCEEDED",
    // Error types of AWS, mostly with HTTP 400: those that botocore retries as throttles
    // (https://github.com/boto/botocore/blob/develop/botocore/retries/standard.py), without the
    // three that may also be a limit on resources or a transaction in progress.
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Reasons that say that a quota is used up, of calls or of resources. A throttle only where the
/// reply says that the quota is one of a short time: Compute answers 403 to too many reads per
/// minute as it does to too many machines.
const QUOTAS: &[&str] = &["quotaExceeded"];

/// How replies write the time of a quota, in lower case: in the message ("limit 'Queries per
/// minute'"), in the name of the limit (`DefaultPerMinutePerProject`), or in its unit
/// (`1/min/{project}`,
/// [`QuotaLimit.unit`](https://github.com/googleapis/googleapis/blob/master/google/api/quota.proto)).
const SHORT_TIMES: &[&str] = &[
    "per second",
    "persecond",
    "1/s/",
    "per 100 seconds",
    "per100seconds",
    "1/100s/",
    "per minute",
    "perminute",
    "1/min/",
];

/// A quota of a day. Under any reason: the service control of Google's APIs calls it
/// `RATE_LIMIT_EXCEEDED`, too. No wait outlasts it.
const DAYS: &[&str] = &["per day", "perday", "1/d/"];

/// Whether `reason` alone says that calls come too fast.
pub(crate) fn is_rate_limit(reason: &str) -> bool {
    RATE_LIMITS.contains(&reason)
}

/// Whether `status` says in words that calls come too fast.
pub(super) fn is_throttle(status: &Status) -> bool {
    let infos: Vec<_> = status.details().iter().filter_map(Detail::error_info).collect();
    let mut reasons = status.reason().into_iter().chain(infos.iter().map(|info| &*info.reason));
    let is_rate = reasons.clone().any(is_rate_limit);
    if !is_rate && !reasons.any(|reason| QUOTAS.contains(&reason)) {
        return false;
    }
    // Read only now: nearly every error stops above, and texts are as long as the server likes.
    let limits = infos.iter().flat_map(|info| ["quota_limit", "quota_unit"].map(|key| info.metadata.get(key)));
    let violations = status.details().iter().filter_map(Detail::quota_failure).flat_map(|quotas| quotas.violations);
    let said: Vec<String> = std::iter::once(status.message())
        .chain(limits.flatten().map(String::as_str))
        .map(str::to_ascii_lowercase)
        .chain(violations.flat_map(|quota| [quota.quota_id, quota.description].map(|text| text.to_ascii_lowercase())))
        .collect();
    let says = |times: &[&str]| said.iter().any(|text| times.iter().any(|time| text.contains(time)));
    !says(DAYS) && (is_rate || says(SHORT_TIMES))
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::to_raw_value};

    use super::*;
    use crate::status::Code;

    fn refused(message: &str, reason: &str, details: &[serde_json::Value]) -> Status {
        let details = details.iter().map(|detail| Detail::from_json(&to_raw_value(detail).unwrap())).collect();
        let status = Status::new(Code::PermissionDenied, message).with_details(details);
        if reason.is_empty() { status } else { status.with_reason(reason) }
    }

    fn limit(reason: &str, limit: &str, unit: &str) -> serde_json::Value {
        json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
            "metadata": { "quota_limit": limit, "quota_unit": unit }
        })
    }

    #[test]
    fn a_rate_limit_is_a_throttle_in_every_spelling() {
        for reason in RATE_LIMITS {
            assert!(is_throttle(&refused("", reason, &[])), "{reason}");
        }
        assert!(is_throttle(&refused("", "", &[limit("RATE_LIMIT_EXCEEDED", "", "")])));
        // The second of two, under another word of the service.
        assert!(is_throttle(&refused("", "forbidden", &[limit("X", "", ""), limit("RATE_LIMIT_EXCEEDED", "", "")])));
        for reason in ["", "forbidden", "ratelimitexceeded", "rateLimitExceeded ", "dailyLimitExceeded", "rate"] {
            assert!(!is_throttle(&refused("rateLimitExceeded per minute", reason, &[])), "{reason}");
        }
    }

    #[test]
    fn a_used_up_quota_is_a_throttle_only_if_it_comes_back_soon() {
        let said = |limit: &str| {
            format!("Quota exceeded for quota metric 'Queries' and limit '{limit}' of service 'compute.googleapis.com'")
        };
        let quota = |unit: &str, id: &str| {
            json!({
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{ "quotaId": id, "description": unit }]
            })
        };
        assert!(is_throttle(&refused(&said("Queries per minute"), "quotaExceeded", &[])));
        assert!(is_throttle(&refused(&said("Read requests per 100 seconds"), "quotaExceeded", &[])));
        assert!(is_throttle(&refused("", "quotaExceeded", &[limit("X", "", "1/min/{project}")])));
        assert!(is_throttle(&refused("", "quotaExceeded", &[quota("", "DefaultPerMinutePerProject")])));
        assert!(!is_throttle(&refused("Quota 'CPUS' exceeded. Limit: 24.0", "quotaExceeded", &[])));
        assert!(!is_throttle(&refused(&said("Queries per day"), "quotaExceeded", &[])));
        assert!(!is_throttle(&refused(&said("Queries per day"), "rateLimitExceeded", &[])));
        for (name, unit) in [("DefaultPerDayPerProject", ""), ("", "1/d/{project}")] {
            assert!(!is_throttle(&refused("", "", &[limit("RATE_LIMIT_EXCEEDED", name, unit)])), "{name}{unit}");
        }
        assert!(!is_throttle(&refused("", "quotaExceeded", &[quota("per minute", "ReadsPerDay")])));
    }
}
