//! What an operation looks like in a document: recognised by its members, since its name says
//! nothing. Some are named `Operation` and are none of ours.

use crate::{document::Node, model::Dialect};

/// The families of operations that discovery documents have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `google.longrunning.Operation`.
    Google,
    /// Extended operations: Compute, Deployment Manager.
    Extended,
    /// Those of Cloud SQL.
    CloudSql,
    /// Those of Google Kubernetes Engine.
    Gke,
}

const GOOGLE: &[(&str, &str)] =
    &[("name", "string"), ("done", "boolean"), ("response", "object"), ("metadata", "object"), ("error", "")];

/// What all but `google.longrunning` have in common.
const COMMON: &[(&str, &str)] =
    &[("name", "string"), ("status", "string"), ("operationType", "string"), ("targetLink", "string"), ("error", "")];

impl Family {
    /// Returns the family that a schema is of; `None` if it is no operation that this library
    /// reads.
    pub(super) fn of(schema: &Node) -> Option<Self> {
        let properties = schema.get("properties")?;
        // An empty type is any type: errors are references.
        let has = |members: &[(&str, &str)]| {
            members.iter().all(|(name, ty)| {
                properties.get(name).is_some_and(|member| ty.is_empty() || member.str_of("type") == Some(*ty))
            })
        };
        if has(GOOGLE) {
            return Some(Self::Google);
        }
        if !has(COMMON) {
            return None;
        }
        match () {
            () if has(&[("selfLink", "string"), ("httpErrorStatusCode", "integer")]) => Some(Self::Extended),
            () if has(&[("targetProject", "string")]) => Some(Self::CloudSql),
            () if has(&[("selfLink", "string"), ("statusMessage", "string")]) => Some(Self::Gke),
            () => None,
        }
    }

    /// Returns how operations of this family are polled: those at `prefix`, before `projects/…`,
    /// and of a method whose path begins with `version`; or why they cannot be.
    pub(super) fn dialect(self, prefix: Option<&str>, version: &str) -> Result<Dialect, String> {
        match self {
            Self::Google => Ok(Dialect::Google),
            Self::Extended => match prefix {
                Some("compute/v1") => Ok(Dialect::Compute),
                Some(prefix) => Ok(Dialect::ComputeBelow(prefix.to_owned())),
                None => {
                    let why = "the document has no method that reads the operations of a project, which says where \
                               they are";
                    Err(why.to_owned())
                }
            },
            // The type polls below `v1`, where operations of `v1beta4` are as well: one service
            // answers for both.
            Self::CloudSql => Ok(Dialect::Wire("::lro_runtime::wire::cloud_sql::Operation".to_owned())),
            Self::Gke if version == "v1" => Ok(Dialect::Wire("::lro_runtime::wire::gke::Operation".to_owned())),
            // The name of an operation is what follows `/v1/` in its link: there is none.
            Self::Gke => Err(format!(
                "`lro_runtime::wire::gke::Operation` reads operations of `v1` only, and this document is of \
                 `{version}`: declare a type and name it as `wire` in the overrides file"
            )),
        }
    }
}
