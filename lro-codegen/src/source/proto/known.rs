//! The files of Google that say how methods are called and what their operations give, so that one
//! proto of one's own is enough. Those below a root come first.

use protox::{Error, file::File};

/// The files, by the names that they are imported by.
const FILES: [(&str, &str); 8] = [
    ("google/api/annotations.proto", include_str!("../../../protos/google/api/annotations.proto")),
    ("google/api/client.proto", include_str!("../../../protos/google/api/client.proto")),
    ("google/api/field_behavior.proto", include_str!("../../../protos/google/api/field_behavior.proto")),
    ("google/api/http.proto", include_str!("../../../protos/google/api/http.proto")),
    ("google/api/resource.proto", include_str!("../../../protos/google/api/resource.proto")),
    ("google/api/routing.proto", include_str!("../../../protos/google/api/routing.proto")),
    ("google/longrunning/operations.proto", include_str!("../../../protos/google/longrunning/operations.proto")),
    ("google/rpc/status.proto", include_str!("../../../protos/google/rpc/status.proto")),
];

/// Returns the file of this name, if it is one of them.
pub(super) fn open(name: &str) -> Option<Result<File, Error>> {
    let (_, source) = FILES.iter().find(|(known, _)| *known == name)?;
    Some(File::from_source(name, source))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests may fail")]
mod tests {
    use super::*;

    #[test]
    fn each_file_can_be_read() {
        for (name, _) in FILES {
            let file = open(name).unwrap().unwrap();
            assert_eq!(file.file_descriptor_proto().name(), name);
        }
        assert!(open("google/api/none.proto").is_none());
    }
}
