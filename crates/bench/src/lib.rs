//! Measures an XDS.b server beside the limits of the machine that it runs on.
//!
//! [`stage`] fills a server through its endpoints, or [`load`] does so in its database; [`drive`] sends requests by many
//! clients; [`limits`] tells by public tools what the machine could do at best; [`report`] puts both side by side. People and
//! documents are invented ([`people`], [`document`]), from a seed.

pub mod cells;
pub mod document;
pub mod drive;
pub mod filing;
pub mod goals;
pub mod ids;
pub mod limits;
pub mod load;
pub mod people;
pub mod process;
pub mod report;
pub mod run;
pub mod server;
pub mod stage;
pub mod template;
pub mod work;
