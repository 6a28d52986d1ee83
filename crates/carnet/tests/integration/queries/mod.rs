//! Every stored query over HTTP, with every parameter.

mod by_id;
mod by_patient;
mod levels;
mod long;
mod merged;
mod multi_patient;
mod world;
