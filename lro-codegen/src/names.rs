//! Names of Rust from names of descriptions: all of a scope at once, so that collisions are decided
//! in one place, and always alike.
