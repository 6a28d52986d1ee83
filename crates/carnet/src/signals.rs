//! Being told to stop, and telling a service manager how far the server is.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM, which end the process no more from the moment on when this is made.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn watch() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The name of the first that comes, or that has come since this was made.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Tells the service manager that started this process, if one did (sd_notify(3)).
pub fn tell_service_manager(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&socket, state) {
        tracing::warn!("the service manager cannot be told \"{state}\": {error}");
    }
}

/// A name that begins with @ is one without a file.
fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_manager_is_told_at_either_kind_of_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let abstract_name = format!("carnet-test-{}", uuid::Uuid::new_v4());
        let with_file = UnixDatagram::bind(&path).unwrap();
        let without =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&abstract_name).unwrap()).unwrap();
        for (receiver, name) in
            [(with_file, path.as_os_str()), (without, OsStr::new(&format!("@{abstract_name}")))]
        {
            send(name, "READY=1").unwrap();
            let mut octets = [0; 64];
            let length = receiver.recv(&mut octets).unwrap();
            assert_eq!(&octets[..length], b"READY=1");
        }
        assert!(send(OsStr::new("/nowhere"), "READY=1").is_err());
    }
}
