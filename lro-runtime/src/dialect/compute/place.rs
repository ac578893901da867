//! Where an operation of Compute is: in a project or an organisation, as its links, its name and
//! the path of its start call say.

use http::Uri;

use super::fields::Members;
use crate::{
    dialect::{Cursor, encode_name},
    status::Failure,
    url::encode_query,
};

// The names of the cursor's parts. They are written into tokens: renaming one makes stored tokens
// useless.
const PROJECT: &str = "project";
const SCOPE: &str = "scope";
const ORGANIZATION: &str = "organization";

/// The path below which the service keeps an organisation's operations. The organisation itself
/// goes into the query, as `parentId`.
const ORGANIZATION_PATH: &str = "locations/global";

/// Returns the path of an operation, below the client's base URL.
pub(super) fn path_of(prefix: &str, cursor: &Cursor, verb: &str) -> Result<String, Failure> {
    let part = |name| cursor.part(name).map(encode_name).transpose();
    let operation = encode_name(cursor.key())?;
    let scope = part(SCOPE)?.unwrap_or_else(|| "global".to_owned());
    Ok(match (part(PROJECT)?, cursor.part(ORGANIZATION)) {
        (Some(project), _) => format!("{prefix}/projects/{project}/{scope}/operations/{operation}{verb}"),
        (None, Some(parent)) => {
            let parent = encode_query(parent);
            format!("{prefix}/{ORGANIZATION_PATH}/operations/{operation}{verb}?parentId={parent}")
        }
        // Resumed from `locations/global/operations/…`, which names no organisation.
        (None, None) => format!("{prefix}/{ORGANIZATION_PATH}/operations/{operation}{verb}"),
    })
}

/// Returns the operation's whole path, from which it can be resumed.
pub(super) fn name_of(cursor: &Cursor) -> String {
    let operation = cursor.key();
    match (cursor.part(PROJECT), cursor.part(ORGANIZATION)) {
        (Some(project), _) => {
            format!("projects/{project}/{}/operations/{operation}", cursor.part(SCOPE).unwrap_or("global"))
        }
        (None, Some(parent)) => format!("{parent}/{ORGANIZATION_PATH}/operations/{operation}"),
        (None, None) => format!("{ORGANIZATION_PATH}/operations/{operation}"),
    }
}

/// Returns the parent of the list that has the operation; `None` if no list is known to have it.
pub(super) fn list_of(cursor: &Cursor) -> Option<String> {
    // An id begins with a letter. Links have the id, also where the number was asked for.
    let project = cursor.part(PROJECT).filter(|id| !id.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(format!("projects/{project}/{}", cursor.part(SCOPE)?))
}

/// Finds the place of the operation in a message: from its `selfLink`, else from its `zone` or
/// `region`, else from the URL of the start call.
///
/// The start call comes last because it may be less precise: `projects/p/moveInstance` starts an
/// operation in a zone.
pub(super) fn place_of_message(members: &Members<'_>, start: &Uri) -> Option<Cursor> {
    let link = members.text("selfLink").and_then(|link| link.parse::<Uri>().ok());
    let by_call = place_of(start.path(), start.query());
    // An organisation is named in the query only, as `parentId`; a link without a query takes the
    // one of the start call.
    let by_link = link.and_then(|link| place_of(link.path(), link.query().or(start.query())));
    if by_link.is_some() {
        return by_link;
    }
    let scope = ["zone", "region"].into_iter().find_map(|member| {
        let link = members.text(member)?;
        // A link, or the bare name of the place. Neither has a query that is a part of it.
        let path = link.split(['?', '#']).next()?;
        let place = path.rsplit('/').next().filter(|place| !place.is_empty())?;
        Some(format!("{member}s/{place}"))
    });
    match scope {
        Some(scope) => by_call.map(|place| place.with(SCOPE, scope)),
        None => by_call,
    }
}

/// Finds the place that a path is in, as a cursor without an operation. Returns `None` if the path
/// names no place.
pub(super) fn place_of(path: &str, query: Option<&str>) -> Option<Cursor> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let after =
        |word: &str| segments.iter().position(|segment| *segment == word).and_then(|index| segments.get(index + 1..));
    if let Some([project, rest @ ..]) = after("projects") {
        let scope = match rest {
            ["zones" | "regions", place, ..] => format!("{}/{place}", rest.first()?),
            // A project-wide call, such as `projects/p/setUsageExportBucket`, starts a global
            // operation.
            _ => "global".to_owned(),
        };
        return Some(Cursor::default().with(PROJECT, *project).with(SCOPE, scope));
    }
    // `name_of` puts the organisation into the path; a request to the service has it in the query.
    let in_path =
        ["organizations", "folders"].into_iter().find_map(|kind| Some(format!("{kind}/{}", after(kind)?.first()?)));
    let in_query = query.into_iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix("parentId="));
    let parent = in_path.or_else(|| in_query.map(|parent| parent.replace("%2F", "/").replace("%2f", "/")));
    match (parent, after("locations")) {
        (Some(parent), Some(["global", ..])) => Some(Cursor::default().with(ORGANIZATION, parent)),
        (None, Some(["global", ..])) => Some(Cursor::default()),
        _ => None,
    }
}
