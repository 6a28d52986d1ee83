//! What the server's own commands say about its data.

use crate::server::Server;

/// `carnet audit verify` with the checkpoint file of the installation.
pub async fn audit(server: &Server) -> anyhow::Result<Option<String>> {
    fault(server, &["audit", "verify"]).await
}

/// The log of traces, and everything that was filed.
pub async fn all(server: &Server) -> anyhow::Result<Vec<String>> {
    Ok([audit(server).await?, fault(server, &["fsck"]).await?].into_iter().flatten().collect())
}

async fn fault(server: &Server, arguments: &[&str]) -> anyhow::Result<Option<String>> {
    let output = server.command(arguments).output().await?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Ok((!output.status.success()).then(|| format!("carnet {}: {said}", arguments.join(" "))))
}
