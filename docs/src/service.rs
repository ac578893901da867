//! A service on a virtual clock for the pages about many operations: each lasts ten minutes, they
//! can be listed, and the clock says when.

use std::{
    future::ready,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lro_runtime::{
    Operations, Result,
    http::{Method, StatusCode},
    testing::VirtualClock,
    transport::{Reply, Request},
};
use serde_json::{Value, json};

/// How long an operation lasts.
const LASTS: Duration = Duration::from_secs(600);

/// Returns a client of a new service. Every `POST` starts an operation.
///
/// # Errors
///
/// None that a page could cause.
pub fn service(clock: &VirtualClock) -> Result<Operations> {
    // The beginning of each operation, and whether it was cancelled.
    let begun: Arc<Mutex<Vec<(Duration, bool)>>> = Arc::default();
    let of = clock.clone();
    let transport = move |request: Request| {
        let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(answer(&mut begun, &request, of.elapsed())))
    };
    Operations::builder("https://images.example.com").transport(transport).timer(clock.clone()).build()
}

fn answer(begun: &mut Vec<(Duration, bool)>, request: &Request, now: Duration) -> Reply {
    let message = |n: usize, (began, is_cancelled): (Duration, bool)| {
        let name = format!("operations/{n}");
        match (is_cancelled, now.saturating_sub(began) >= LASTS) {
            (true, _) => json!({ "name": name, "done": true, "error": { "code": 1, "message": "as asked" } }),
            (_, true) => json!({ "name": name, "done": true, "response": { "uri": format!("gs://pictures/{n}.png") } }),
            _ => json!({ "name": name, "metadata": { "percent": 50 } }),
        }
    };
    let last = request.uri().path().rsplit('/').next().unwrap_or_default();
    let number: Option<usize> = last.trim_end_matches(":cancel").parse().ok();
    let found = number.and_then(|n| begun.get_mut(n));
    let body = match (request.method(), number, found) {
        (&Method::GET, Some(n), Some(found)) => message(n, *found),
        (_, Some(_), Some(found)) => {
            found.1 = true;
            json!({})
        }
        (&Method::GET, None, _) if last == "operations" => {
            let running = begun.iter().enumerate().map(|(n, found)| message(n, *found));
            let running: Vec<Value> = running.filter(|operation| operation.get("done").is_none()).collect();
            json!({ "operations": running })
        }
        (&Method::POST, None, _) => {
            begun.push((now, false));
            message(begun.len() - 1, (now, false))
        }
        _ => Value::Null,
    };
    let mut reply = Reply::new(body.to_string().into());
    if body.is_null() {
        *reply.status_mut() = StatusCode::NOT_FOUND;
    }
    reply
}
