//! Who asks. Every function that touches a record takes a [`Requester`]: rights and traces need it.
//!
//! Pure: who may read what is decided here from what the caller tells, and nothing is looked up.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// How the requester's identity was established.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// Nothing was presented.
    None,
    /// A `wsse:Security` header was presented and not verified: nothing in it is believed.
    Unverified,
    /// A person at this machine's command line, by the name of the operating system account.
    LocalAccount,
    /// A bearer token for the audit, by the name that the operator gave it.
    Token,
}

/// The one who asks, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// User identity; by [`Authentication::LocalAccount`] the account's name, by
    /// [`Authentication::Token`] the token's.
    pub who: Option<String>,
    /// The person's name as people read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub role: Option<String>,
    /// The person's profession as people read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profession: Option<String>,
    pub organisation: Option<String>,
    pub purpose: Option<String>,
    pub authentication: Authentication,
    pub network_address: Option<IpAddr>,
    /// The address that was called: a URL, `facility|application` over MLLP, or `carnet patient open` for the command line.
    pub endpoint: String,
    /// `facility|application` by which a sender of HL7 v2 calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// WS-Addressing ReplyTo of the request, when it named one.
    pub reply_to: Option<String>,
    /// SHA-256 of the client certificate, hexadecimal.
    pub certificate_fingerprint: Option<String>,
    /// The subject of the client certificate: `CN=gateway, O=hospital`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_subject: Option<String>,
    /// The patient a session is for, as CX.
    pub patient: Option<String>,
    /// The traces of a secret session are hidden from legal representatives.
    pub secret_session: bool,
}

impl Requester {
    /// A caller over the network of whom nothing else is known.
    pub fn remote(address: Option<IpAddr>, endpoint: &str) -> Self {
        Requester {
            who: None,
            name: None,
            role: None,
            profession: None,
            organisation: None,
            purpose: None,
            authentication: Authentication::None,
            network_address: address,
            endpoint: endpoint.to_owned(),
            application: None,
            reply_to: None,
            certificate_fingerprint: None,
            certificate_subject: None,
            patient: None,
            secret_session: false,
        }
    }

    /// A person at the command line of the machine that holds the data.
    pub fn local(account: &str, command: &str) -> Self {
        Requester {
            who: Some(account.to_owned()),
            authentication: Authentication::LocalAccount,
            ..Requester::remote(None, command)
        }
    }

    /// What a person can best recognise: the name, the account, the certificate's subject, what the sender calls itself or
    /// the address.
    pub fn known_as(&self) -> Option<String> {
        let told = [&self.name, &self.who, &self.certificate_subject, &self.application];
        let address = || self.network_address.map(|address| address.to_string());
        told.into_iter().find_map(Clone::clone).or_else(address)
    }

    /// The same, or "unknown".
    pub fn label(&self) -> String {
        self.known_as().unwrap_or_else(|| "unknown".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Requester;

    #[test]
    fn a_requester_is_known_by_what_a_person_recognises_best() {
        let mut requester = Requester::remote(None, "http://h/x");
        assert_eq!(requester.label(), "unknown");
        requester.network_address = "192.0.2.7".parse().ok();
        assert_eq!(requester.label(), "192.0.2.7");
        requester.application = Some("HOSPITAL|ADT".to_owned());
        assert_eq!(requester.label(), "HOSPITAL|ADT");
        requester.certificate_subject = Some("CN=gateway, O=hospital".to_owned());
        assert_eq!(requester.label(), "CN=gateway, O=hospital");
        requester.who = Some("801234567897".to_owned());
        assert_eq!(requester.label(), "801234567897");
        requester.name = Some("Dr Anne Martin".to_owned());
        assert_eq!(requester.label(), "Dr Anne Martin");
    }
}
