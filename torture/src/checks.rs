//! What the server's own commands say about its data.

use crate::server::Server;

/// Everything that was filed but the octets of documents, and the log of traces with the checkpoint file of the installation.
pub async fn quick(server: &Server) -> anyhow::Result<Option<String>> {
    fault(server, &["fsck", "--quick"]).await
}

/// Everything that was filed, and the log of traces once more by the command that is for it alone.
pub async fn all(server: &Server) -> anyhow::Result<Vec<String>> {
    let checks = [fault(server, &["audit", "verify"]).await?, fault(server, &["fsck"]).await?];
    Ok(checks.into_iter().flatten().collect())
}

async fn fault(server: &Server, arguments: &[&str]) -> anyhow::Result<Option<String>> {
    let output = server.command(arguments).output().await?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Ok((!output.status.success()).then(|| format!("carnet {}: {said}", arguments.join(" "))))
}
