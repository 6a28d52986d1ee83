//! Traces on their way from this node to others and from others to this node.

pub mod forward;
