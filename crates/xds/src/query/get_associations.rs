//! GetAssociations (TF-2 §3.18.4.1.2.3.7.7).

use uuid::Uuid;

use super::Status;
use super::parameter::{Parameters, Reported};

pub const UUID: &str = "$uuid";

/// The Associations that have one of the objects as an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetAssociations {
    pub objects: Vec<Uuid>,
    /// `None`: as the level says.
    pub association_status: Option<Vec<Status>>,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<GetAssociations, Reported> {
    let objects = p.required_uuids(UUID);
    let association_status = p.association_status();
    Ok(GetAssociations { objects: objects?, association_status })
}
