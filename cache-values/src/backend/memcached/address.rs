//! Where a server is.

use std::fmt;

/// Where memcached listens unless it is told otherwise.
const PORT: u16 = 11211;

/// The address of a server. As text it is always spelt the same: names are distributed by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp { host: String, port: u16 },
    Unix { path: String },
}

impl Address {
    /// From `host`, `host:port`, `[address]:port` or `unix:path`, perhaps after `memcached:`; otherwise what would be right.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.strip_prefix("memcached:").unwrap_or(text);
        let text = text.strip_prefix("//").unwrap_or(text);
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path.starts_with('/') {
                true => Ok(Address::Unix { path: path.to_owned() }),
                false => Err("the path of a socket begins with `/`, as in `unix:/run/memcached.sock`"),
            };
        }
        if text.contains('@') {
            return Err("leave out user and password: memcached's text protocol has none");
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or(""))),
            None if text.matches(':').count() > 1 => {
                return Err("write an IPv6 address in brackets, as `[::1]:11211`");
            }
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) {
            return Err("write it as `host:port` or `unix:/path`");
        }
        let port = match port {
            None => PORT,
            Some(port) => {
                port.parse().ok().filter(|port| *port > 0).ok_or("the port is a number from 1 to 65535")?
            }
        };
        Ok(Address::Tcp { host: host.to_lowercase(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix { path } => write!(f, "unix:{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_spelt_in_one_way() {
        for (text, address) in [
            ("10.0.0.1", "10.0.0.1:11211"),
            ("Cache.internal:1", "cache.internal:1"),
            ("memcached://cache:1/", "cache:1"),
            ("memcached:cache", "cache:11211"),
            ("[::1]", "[::1]:11211"),
            ("[::1]:1", "[::1]:1"),
            ("unix:/run/m.sock", "unix:/run/m.sock"),
            ("unix:///run/m.sock", "unix:/run/m.sock"),
            ("memcached:unix:/run/m.sock", "unix:/run/m.sock"),
        ] {
            assert_eq!(
                Address::parse(text).map(|address| address.to_string()).as_deref(),
                Ok(address),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            ":1",
            "host:",
            "host:0",
            "host:65536",
            "host:x",
            "::1",
            "[]:1",
            "[::1]1x:1",
            "unix:m",
            "a b",
            "u:p@host:1",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
