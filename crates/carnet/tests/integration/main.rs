//! The server over real HTTP, against a real PostgreSQL, with a database for each test.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot be set up has failed, and says what it skipped"
)]

mod asynchronous;
mod audit_http;
mod audit_kept;
mod audit_list;
mod audit_log;
mod audit_schema;
mod backup;
mod backup_folder;
mod bad_input;
mod belonging;
mod bench;
mod catalogue;
mod codes;
mod command_line;
mod compression;
mod concurrency;
mod conformance;
mod connections;
mod crash;
mod dependencies;
mod feed;
mod filing;
mod fsck;
mod harness;
mod large;
mod logs;
mod lost_commit;
mod lost_octets;
mod merge;
mod metrics;
mod on_demand;
mod outage;
mod outbox;
mod pages;
mod queries;
mod relay;
mod removal;
mod restore;
mod rules;
mod schemas;
mod service;
mod stopping;
mod sweep;
mod syslog;
mod tls;
mod traces;
mod two_processes;
mod update;
mod wire;
