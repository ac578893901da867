//! What of a name, a URL or a text may be shown, and what may be stored.
//!
//! Names and URLs in `Debug` output and in errors go through [`redacted`], messages of a server and
//! excerpts of bodies through [`hidden`]. Tokens store URLs of a server as [`without_secrets`]
//! leaves them, URLs of the caller as [`of_caller`] does, and texts as [`stored_text`] does.

mod names;
mod reader;

pub(crate) use self::{
    names::is_plain_header,
    reader::{hidden, of_caller, redacted, redacted_head, stored_head, stored_text, without_secrets},
};
