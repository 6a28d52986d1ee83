//! What the keys must say together. Each alone is read already.

use anyhow::bail;

use super::{Config, Role};

impl Config {
    /// Everything that would keep a server from starting, but for what the machine says.
    pub fn check(&self) -> anyhow::Result<()> {
        self.check_transport()?;
        self.check_role()?;
        self.check_deadline()
    }

    /// Plain HTTP and plain MLLP carry health data in the clear: they leave this machine only if somebody said so.
    pub fn check_transport(&self) -> anyhow::Result<()> {
        if atna::WITHOUT_TRACES {
            self.check_unreachable()?;
        }
        if self.tls.is_some() {
            return Ok(());
        }
        if let Some(mllp) = self.feed.mllp.filter(|mllp| !mllp.ip().is_loopback())
            && !self.feed.allow_plain_mllp
        {
            bail!(
                "feed.mllp = {mllp} is not a loopback address, and without TLS identities of patients would travel in the \
                 clear. Set tls.certificate and tls.key, listen on 127.0.0.1, or set feed.allow_plain_mllp = true if the \
                 network is protected otherwise"
            )
        }
        if self.server.listen.ip().is_loopback() || self.server.allow_plain_http {
            return Ok(());
        }
        bail!(
            "server.listen = {} is not a loopback address, and without TLS health data would travel in the clear. Set \
             tls.certificate and tls.key, or listen on 127.0.0.1 behind a TLS proxy, or set server.allow_plain_http = true if the network is protected otherwise",
            self.server.listen
        )
    }

    /// A server that writes no traces is for measurements on its own machine.
    fn check_unreachable(&self) -> anyhow::Result<()> {
        let receive = &self.audit.receive;
        let listening = [Some(self.server.listen), self.feed.mllp, receive.tls, receive.udp];
        match listening.into_iter().flatten().find(|address| !address.ip().is_loopback()) {
            None => Ok(()),
            Some(address) => bail!(
                "{address} is not a loopback address, and this build writes no traces: it is for measurements on its own \
                 machine. Build without the cargo feature without-traces"
            ),
        }
    }

    /// A repository alone must know where its registry is.
    fn check_role(&self) -> anyhow::Result<()> {
        if self.server.role == Role::Repository && self.repository.registry.is_none() {
            bail!(
                "a server that is only a repository needs repository.registry, the URL of its registry (ITI-42)"
            );
        }
        Ok(())
    }

    /// The first octets of a request wait for its last, and until then they belong to no document: they must not become old
    /// enough for the sweep.
    fn check_deadline(&self) -> anyhow::Result<()> {
        let sweep_age = self.repository.sweep_age;
        let (longest, most) = (self.limits.endurance.longest, sweep_age / 2);
        if longest >= most {
            bail!(
                "limits.request_minutes = {} is too long: octets of a request are removed as if they belonged to no document \
                 when they are {} hours old (repository.sweep_hours). Set less than {} minutes, or more hours",
                longest.as_secs() / 60,
                sweep_age.as_secs() / 3600,
                most.as_secs() / 60
            )
        }
        Ok(())
    }
}
