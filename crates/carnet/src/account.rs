//! Who is at the command line.

/// The name of the operating system account; its number when it has no name.
pub fn name() -> String {
    let uid = nix::unistd::getuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    }
}
