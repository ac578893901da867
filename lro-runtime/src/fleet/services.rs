//! Services: which client an operation is of, in words that another process understands.

use std::{collections::HashMap, fmt};

use crate::{
    client::Operations,
    error::{Error, ErrorKind, Result},
    operation::{LongRunning, Method, OperationState, RawOperation, Resume, Token},
    text::excerpt,
};

/// A client and the methods of its operations, under a name that stays the same from process to
/// process: what a fleet with a store needs to go on with an operation after a restart.
///
/// ```
/// use lro_runtime::{Operations, RawOperation, Result, fleet::Service, long_running};
/// # #[derive(serde::Deserialize)]
/// # pub struct Image;
/// pub struct ImageClient {
///     operations: Operations,
/// }
///
/// #[long_running(response = Image, metadata = ())]
/// impl ImageClient {
///     /// Exports an image.
///     #[long_running]
///     pub async fn export_image(&self) -> Result<RawOperation> {
///         self.operations.post("v1/images:export", &()).await
///     }
///
///     /// What a durable fleet needs of this client.
///     pub fn service(&self) -> Service {
///         Service::new("images", &self.operations).with::<ExportImageOperation>()
///     }
/// }
/// ```
#[derive(Clone)]
#[must_use = "a service is passed to `FleetBuilder::service`"]
pub struct Service {
    name: String,
    client: Operations,
    methods: Vec<&'static Method>,
}

impl Service {
    /// Names a client. The name is stored with each of its operations: after a restart it must lead
    /// to a client of the same service.
    pub fn new(name: impl Into<String>, client: &Operations) -> Self {
        Self { name: name.into(), client: client.clone(), methods: Vec::new() }
    }

    /// Adds the method whose operations are `O`, such as `ExportImageOperation`. Operations that
    /// are of no method need none.
    pub fn with<O: LongRunning>(self) -> Self {
        self.with_method(<O::State as OperationState>::METHOD)
    }

    /// Adds a method by its declaration, as code generators do.
    pub fn with_method(mut self, method: &'static Method) -> Self {
        self.methods.push(method);
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn client(&self) -> &Operations {
        &self.client
    }

    /// Returns the method of this name. That of an operation of no method is empty.
    pub(super) fn method(&self, name: &str) -> Option<&'static Method> {
        self.methods.iter().find(|method| method.name() == name).copied()
    }

    /// Makes an operation again that was written down as a token, as one of its method.
    ///
    /// # Errors
    ///
    /// Of kind [`InvalidToken`](ErrorKind::InvalidToken) when the service does not have its method,
    /// or the client cannot use the token; [`UntrustedUrl`](ErrorKind::UntrustedUrl) when it points
    /// to an origin that the client does not trust.
    pub fn resume(&self, token: Token) -> Result<RawOperation> {
        if !self.has(token.method()) {
            let message =
                format!("the service `{}` does not have the method `{}` of the token", self.name, token.method());
            return Err(Error::new(ErrorKind::InvalidToken, message));
        }
        let method = self.method(token.method());
        self.client.resume_as(Resume::from(token), method)
    }

    /// Whether an operation of the method of this name can be made again.
    pub(super) fn has(&self, name: &str) -> bool {
        name.is_empty() || self.method(name).is_some()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<&str> = self.methods.iter().map(|method| method.name()).collect();
        f.debug_struct("Service").field("name", &self.name).field("methods", &methods).finish_non_exhaustive()
    }
}

/// The services of a fleet.
#[derive(Default)]
pub(super) struct Services {
    all: Vec<Service>,
    by_client: HashMap<usize, usize>,
}

impl Services {
    /// # Errors
    ///
    /// When two have the same name, or a name is empty or too long.
    pub(super) fn new(all: Vec<Service>) -> Result<Self> {
        /// The longest name. It is stored with every operation.
        const LONGEST: usize = 256;
        let invalid = |message: String| Error::new(ErrorKind::InvalidSettings, message);
        let mut by_client = HashMap::new();
        for (index, service) in all.iter().enumerate() {
            let shown = excerpt(service.name.as_bytes());
            if service.name.is_empty() || service.name.len() > LONGEST {
                let found = service.name.len();
                return Err(invalid(format!(
                    "the name of the service `{shown}` has {found} bytes: must have 1 to {LONGEST}"
                )));
            }
            if all.iter().take(index).any(|other| other.name == service.name) {
                return Err(invalid(format!("two services have the name `{shown}`: each needs one of its own")));
            }
            if by_client.insert(service.client.address(), index).is_some() {
                return Err(invalid(format!("the client of the service `{shown}` is that of another service as well")));
            }
        }
        Ok(Self { all, by_client })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Service> {
        self.all.iter().find(|service| service.name == name)
    }

    pub(super) fn of_client(&self, client: &Operations) -> Option<&Service> {
        self.all.get(*self.by_client.get(&client.address())?)
    }

    /// Returns the service of an operation that is about to be stored.
    ///
    /// # Errors
    ///
    /// When another process would not know what to do with it.
    pub(super) fn of(&self, operation: &RawOperation) -> Result<&Service> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidSettings, message).with_operation(operation);
        let Some(service) = self.of_client(operation.client()) else {
            return Err(invalid(
                "its client is of no service of the fleet, so that it could not be polled after a restart: add one with \
                 `FleetBuilder::service`"
                    .to_owned(),
            ));
        };
        let method = operation.method.map_or("", Method::name);
        if !service.has(method) {
            return Err(invalid(format!(
                "the service `{}` does not have its method `{method}`, so that it could not be polled after a restart: \
                 add it with `Service::with`",
                service.name
            )));
        }
        Ok(service)
    }
}
