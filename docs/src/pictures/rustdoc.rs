//! A picture for the front page of rustdoc, which is read where there is no repository.
//!
//! It is a part of the page: its text has the page's colour, whichever theme a reader has chosen,
//! and it needs no style sheet, whose rules would hold for the whole page.

use std::path::{Path, PathBuf};

use super::states;

/// What a class of `svg::STYLE` is on a page. The colours are readable on white and on black.
const CLASSES: [(&str, &str); 7] = [
    ("paper", r#"fill="none""#),
    ("line", r#"fill="none" stroke="currentColor" stroke-opacity=".6" stroke-width="2""#),
    ("head", r#"fill="currentColor" fill-opacity=".6""#),
    ("strong middle", r#"fill="currentColor" font-size="20" font-weight="600" text-anchor="middle""#),
    ("small quiet middle", r#"fill="currentColor" fill-opacity=".8" font-size="17" text-anchor="middle""#),
    ("small quiet", r#"fill="currentColor" fill-opacity=".8" font-size="17""#),
    ("of-blue", r##"fill="#3b82f6" fill-opacity=".15" stroke="#3b82f6" stroke-width="2""##),
];

/// The states, as a block of HTML without a blank line, which would end it in Markdown.
#[must_use]
pub fn states() -> String {
    let mut svg = states::draw();
    if let (Some(begin), Some(end)) = (svg.find("<style>"), svg.find("</style>\n")) {
        svg.replace_range(begin..end + "</style>\n".len(), "");
    }
    for (class, attributes) in CLASSES {
        svg = svg.replace(&format!(r#"class="{class}""#), attributes);
    }
    for (class, colour) in [("green", "#22a34a"), ("red", "#e5484d"), ("yellow", "#c58b00")] {
        let attributes = format!(r#"fill="{colour}" fill-opacity=".15" stroke="{colour}" stroke-width="2""#);
        svg = svg.replace(&format!(r#"class="of-{class}""#), &attributes);
    }
    // Names that the rest of the page does not have, and a width that a narrow page has.
    for name in ["title", "description", "arrow"] {
        svg = svg.replace(&format!(r#"id="{name}""#), &format!(r#"id="states-{name}""#));
    }
    svg.replace("url(#arrow)", "url(#states-arrow)")
        .replace(r#"aria-labelledby="title description""#, r#"aria-labelledby="states-title states-description""#)
        .replace(r#"width="800" height="392" role"#, r#"style="max-width:100%;height:auto" width="640" role"#)
}

/// The file of the runtime that has the states.
#[must_use]
pub fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lro-runtime/src/states.svg")
}
