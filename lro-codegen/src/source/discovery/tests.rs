use super::*;

mod corpus;
