//! S: nginx, driven by the same load generator as the server.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::{Limit, Measured};
use crate::drive::{Load, Shot, Work, drive};

const PATIENCE: Duration = Duration::from_secs(10);

struct Page(Arc<str>, u64);

impl Work for Page {
    fn next(&self, _: &mut fastrand::Rng) -> Option<Shot> {
        Some(Shot { url: self.0.clone(), post: None, says: b"", at_least: self.1 })
    }
}

/// An nginx of one measurement; it ends with this.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let master = nix::unistd::Pid::from_raw(self.0.id() as i32);
        let _ = nix::sys::signal::kill(master, nix::sys::signal::Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

pub async fn measure(
    folder: &Path,
    size: u64,
    clients: &[usize],
    time: Duration,
) -> anyhow::Result<Vec<Measured>> {
    let limit = Limit::S(size);
    let Some(program) = program() else {
        let none = |clients: &usize| Measured {
            limit,
            clients: *clients,
            rate: None,
            not_measured: Some("nginx is not installed".to_owned()),
        };
        return Ok(clients.iter().map(none).collect());
    };
    let folder = folder.join("nginx");
    let (nginx, address) = start(&program, &folder, size)?;
    let page: Arc<dyn Work> = Arc::new(Page(format!("http://{address}/document").into(), size));
    let mut all = Vec::new();
    for clients in clients {
        let load = Load { clients: *clients, time, rate: None, seed: 0 };
        let page = page.clone();
        let outcome = tokio::task::spawn_blocking(move || drive(page, load)).await??;
        if let Some(failure) = outcome.first_failure {
            bail!("nginx: {failure}");
        }
        all.push(Measured { limit, clients: *clients, rate: Some(outcome.rate), not_measured: None });
    }
    drop(nginx);
    std::fs::remove_dir_all(&folder)?;
    Ok(all)
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|program| program.is_file())
}

fn start(program: &Path, folder: &Path, size: u64) -> anyhow::Result<(Nginx, String)> {
    std::fs::create_dir_all(folder.join("root"))?;
    let mut octets = vec![0; size as usize];
    fastrand::Rng::with_seed(5).fill(&mut octets);
    std::fs::write(folder.join("root/document"), octets)?;
    // nginx cannot say which port the system chose for it.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let at = folder.display();
    let user = if nix::unistd::geteuid().is_root() { "user root;" } else { "" };
    let settings = format!(
        "{user} worker_processes 2; daemon off; pid {at}/pid; error_log {at}/errors;
         events {{ worker_connections 1024; }}
         http {{
             access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
             client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;
             uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;
             server {{ listen {address}; root {at}/root; }}
         }}"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, settings)?;
    let child = Command::new(program)
        .arg("-p")
        .arg(folder)
        .arg("-e")
        .arg(folder.join("errors"))
        .arg("-c")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    let nginx = Nginx(child);
    let began = Instant::now();
    while TcpStream::connect(&address).is_err() {
        if began.elapsed() > PATIENCE {
            let errors = std::fs::read_to_string(folder.join("errors")).unwrap_or_default();
            bail!("nginx does not answer: {}", errors.trim());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok((nginx, address))
}
