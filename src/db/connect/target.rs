//! The addresses behind a host, as settings of tokio-postgres.

use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::Config;

use super::failure::Reason;
use super::timeout::within;
use crate::db::conninfo::{Endpoint, Host, TcpSettings};

/// One address of a server.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// None for sockets.
    pub(super) address: Option<IpAddr>,
}

impl Target<'_> {
    /// The name is what TLS verifies, the address what is connected to.
    pub(super) fn set_host(&self, config: &mut Config) {
        match (&self.endpoint.host, self.address) {
            #[cfg(unix)]
            (Host::Socket(directory), _) => {
                config.host_path(directory);
            }
            (Host::Named { name, .. }, Some(address)) => {
                config.host(name).hostaddr(address);
            }
            (Host::Address(address), _) => {
                config.host(address.to_string()).hostaddr(*address);
            }
            (host, _) => {
                debug_assert!(false, "{host:?} has no address");
            }
        }
    }
}

/// Socket options; tokio-postgres has no other way to set them.
pub(super) fn set_tcp(config: &mut Config, tcp: &TcpSettings) {
    config.keepalives(tcp.keepalives);
    if let Some(idle) = tcp.idle {
        config.keepalives_idle(idle);
    }
    if let Some(interval) = tcp.interval {
        config.keepalives_interval(interval);
    }
    if let Some(count) = tcp.count {
        config.keepalives_retries(count);
    }
    if let Some(timeout) = tcp.user_timeout {
        config.tcp_user_timeout(timeout);
    }
}

/// The addresses of a server: looked up unless they are known.
pub(super) async fn addresses(
    endpoint: &Endpoint,
    timeout: Option<Duration>,
) -> Result<Vec<Option<IpAddr>>, Reason> {
    let (name, port) = match &endpoint.host {
        Host::Socket(_) => return Ok(vec![None]),
        Host::Address(address)
        | Host::Named {
            address: Some(address),
            ..
        } => return Ok(vec![Some(*address)]),
        Host::Named {
            name,
            address: None,
        } => (name.as_str(), endpoint.port),
    };
    let found = within(timeout, async {
        tokio::net::lookup_host((name, port))
            .await
            .map_err(Reason::HostName)
    })
    .await?;
    let mut addresses: Vec<Option<IpAddr>> = Vec::new();
    for address in found.map(|address| Some(address.ip())) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}
