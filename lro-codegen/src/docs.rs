//! Comments of descriptions as rustdoc: Markdown without links that lead nowhere, and without HTML.
