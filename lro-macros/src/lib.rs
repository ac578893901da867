//! The macros of [`lro-runtime`](https://docs.rs/lro-runtime). An implementation detail: depend on `lro-runtime`.
