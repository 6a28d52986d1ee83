//! A Carnet of its own, in a folder of its own, as a process of its own: so its costs are told apart from those of the load.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PATIENCE: Duration = Duration::from_secs(120);
const TEST_AUTHORITY: &str = "1.2.250.1.213.1.4.10";

pub struct Server {
    child: Child,
    pub url: String,
    /// From the start of the process until it was ready.
    pub ready_after: Duration,
    folder: PathBuf,
}

impl Server {
    /// Starts `program` with its data in `folder`, durable, everything else by default.
    pub fn start(program: &Path, folder: &Path) -> anyhow::Result<Server> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = File::create(folder.join("server.log"))?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARNET_")) {
                command.env_remove(name);
            }
        }
        let began = Instant::now();
        let child = command
            .arg("serve")
            .current_dir(folder)
            .env("CARNET_SERVER__LISTEN", address.to_string())
            .env("CARNET_DATA__DIR", folder)
            .env("CARNET_PATIENTS__INS_AUTHORITY", TEST_AUTHORITY)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let mut server = Server {
            child,
            url: format!("http://{address}"),
            ready_after: Duration::ZERO,
            folder: folder.to_owned(),
        };
        while !is_ready(&address.to_string()) {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended ({status}): {}", server.log());
            }
            if began.elapsed() > PATIENCE {
                bail!("the server is not ready after {} s: {}", PATIENCE.as_secs(), server.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        server.ready_after = began.elapsed();
        Ok(server)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it in peace.
    pub fn stop(mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM)?;
        let status = self.child.wait()?;
        match status.success() {
            true => Ok(()),
            false => bail!("the server did not stop in peace ({status}): {}", self.log()),
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a peaceful stop there is nobody left to tell.
        if let Ok(None) = self.child.try_wait() {
            let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
            let _ = self.child.wait();
        }
    }
}

fn is_ready(address: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(
            format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
        )?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
