//! The server and the command line of Carnet: everything that joins the rooms of the house.

mod account;
mod audit;
pub mod backup;
mod belonging;
mod clock;
pub mod commands;
pub mod config;
mod connections;
mod digest;
mod feed;
pub mod http;
mod in_process;
pub mod installation;
pub mod logging;
mod metrics;
mod outbox;
mod outgoing;
mod registry_link;
mod remote_registry;
pub mod serve;
mod shared;
mod signals;
mod startup;
pub mod tls;
