//! Tests of the protobuf front end.
