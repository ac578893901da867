//! Simulated fleets: one seed is one history. After every event, what must always hold is checked.

mod alone;
mod checks;
mod deeds;
mod figures;
mod honest;
mod promises;
mod round;
mod service;
mod world;
