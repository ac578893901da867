// Written by lro-codegen. Do not edit: change the description, or the overrides, and run it again.

use serde::{Deserialize, Serialize};

/// Asks to export an image.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct ExportImageRequest {
    /// The bucket that it is exported to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The format of the file; that of the image if it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// How far the work is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct ExportProgress {
    /// The per cent that is done.
    #[serde(rename = "progressPercent", skip_serializing_if = "Option::is_none")]
    pub progress_percent: Option<i32>,
    /// What is being done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}

/// An image that was exported.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct ExportedImage {
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

/// An image in an album.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Image {
    /// Its name, such as `albums/zoo/images/elephant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is to be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How many bytes it has.
    #[serde(
        with = "lro_runtime::quoted",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub size: Option<i64>,
}
