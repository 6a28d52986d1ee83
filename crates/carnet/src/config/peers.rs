//! A list of machines, by their address or by the certificate that they show.

use std::net::IpAddr;

use access::Requester;
use toml::Value;

use super::kind::{Kind, quoted};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers(Vec<Peer>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Peer {
    /// Addresses that begin with so many bits of this one.
    Network(IpAddr, u32),
    /// SHA-256, lower-case hexadecimal.
    Certificate(String),
}

pub const PEERS: Kind<Peers> = Kind {
    is: "a list of addresses, networks such as 10.1.0.0/16 and certificates such as sha256:… (64 hexadecimal digits)",
    text: |text| Peers::parse(text.split(',').map(str::trim).filter(|text| !text.is_empty())),
    toml: |value| {
        let texts: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
        Peers::parse(texts?.into_iter())
    },
    show: |peers| {
        let texts: Vec<String> = peers.0.iter().map(|peer| quoted(&peer.to_string())).collect();
        format!("[{}]", texts.join(", "))
    },
};

impl Peers {
    /// The machine itself.
    pub fn loopback() -> Peers {
        Peers(vec![
            Peer::Network(IpAddr::from([127, 0, 0, 0]), 8),
            Peer::Network(std::net::Ipv6Addr::LOCALHOST.into(), 128),
        ])
    }

    /// By its address, or by the certificate that its connection was made with.
    pub fn have(&self, requester: &Requester) -> bool {
        self.0.iter().any(|peer| match peer {
            Peer::Network(network, bits) => {
                requester.network_address.is_some_and(|address| within(address, *network, *bits))
            }
            Peer::Certificate(digest) => requester.certificate_fingerprint.as_ref() == Some(digest),
        })
    }

    fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Peers> {
        texts.map(Peer::parse).collect::<Option<_>>().map(Peers)
    }
}

impl Peer {
    fn parse(text: &str) -> Option<Peer> {
        if let Some(digest) = text.strip_prefix("sha256:") {
            let digest: String =
                digest.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
            let good = digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit());
            return good.then_some(Peer::Certificate(digest));
        }
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Peer::Network(address, bits))
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Network(address, bits) => write!(f, "{address}/{bits}"),
            Peer::Certificate(digest) => write!(f, "sha256:{digest}"),
        }
    }
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address.to_canonical(), network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => same_start(a.to_bits().into(), n.to_bits().into(), bits, 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => same_start(a.to_bits(), n.to_bits(), bits, 128),
        _ => false,
    }
}

fn same_start(a: u128, b: u128, bits: u32, width: u32) -> bool {
    (a ^ b).checked_shr(width - bits).unwrap_or_default() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn have(peers: &str, address: &str, fingerprint: Option<&str>) -> bool {
        let mut requester = Requester::remote(Some(address.parse().unwrap()), "http://h/x");
        requester.certificate_fingerprint = fingerprint.map(str::to_owned);
        (PEERS.text)(peers).unwrap().have(&requester)
    }

    #[test]
    fn a_machine_is_known_by_its_address_or_its_network() {
        assert!(have("192.0.2.7", "192.0.2.7", None) && !have("192.0.2.7", "192.0.2.8", None));
        assert!(have("10.1.0.0/16", "10.1.255.3", None) && !have("10.1.0.0/16", "10.2.0.1", None));
        assert!(have("2001:db8::/32", "2001:db8::9", None) && !have("2001:db8::/32", "2001:db9::9", None));
        assert!(have("0.0.0.0/0", "203.0.113.1", None) && !have("0.0.0.0/0", "::1", None));
        assert!(have("192.0.2.7", "::ffff:192.0.2.7", None));
        assert!(!have("", "127.0.0.1", None));
        assert!(Peers::loopback().have(&Requester::remote(Some("127.0.0.9".parse().unwrap()), "")));
        assert!(!Peers::loopback().have(&Requester::remote(None, "")));
    }

    #[test]
    fn or_by_its_certificate() {
        let digest = "0f".repeat(32);
        let peers = format!("sha256:{}", "0F:".repeat(32).trim_end_matches(':'));
        assert!(have(&peers, "203.0.113.1", Some(&digest)));
        assert!(!have(&peers, "203.0.113.1", Some(&"0e".repeat(32))) && !have(&peers, "203.0.113.1", None));
    }

    #[test]
    fn what_is_neither_is_no_list() {
        for text in ["host.example", "10.0.0.0/33", "::/129", "10.0.0/8", "sha256:12", "10.0.0.1/x"] {
            assert!((PEERS.text)(text).is_none(), "{text}");
        }
    }
}
