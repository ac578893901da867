//! Adds the caller's headers to a request for a foreign backend, after all other middleware.

use http::HeaderMap;
use surf::{
    Client, Request, Response,
    http::Url,
    middleware::{Middleware, Next},
    utils::async_trait,
};

use super::{backend, headers};

/// The last middleware of a request to a foreign backend.
///
/// Nothing of ours is below a foreign backend's client, so that a request which middleware makes
/// itself, as surf's own for redirects does, cannot be stopped. It cannot carry what it has not
/// seen.
pub(super) struct Attach {
    /// The caller's URL. The headers are for its origin only.
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
}

#[async_trait]
impl Middleware for Attach {
    async fn handle(&self, mut request: Request, client: Client, next: Next<'_>) -> surf::Result<Response> {
        if request.url().origin() != self.url.origin() {
            return Err(backend::refused(backend::left_its_origin()));
        }
        // What middleware has set stays.
        let mut missing = self.headers.clone();
        for (name, _) in &request {
            missing.remove(name.as_str());
        }
        headers::to_surf(&missing, request.as_mut());
        next.run(request, client).await
    }
}
