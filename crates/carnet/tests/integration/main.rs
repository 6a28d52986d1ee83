//! The server over real HTTP, against a real PostgreSQL, with a database for each test.

mod bad_input;
mod command_line;
mod concurrency;
mod conformance;
mod crash;
mod filing;
mod harness;
mod large;
mod outage;
mod traces;
mod wire;
