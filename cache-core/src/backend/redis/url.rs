//! Reads a URL part by part, so that an error can name the part that is wrong.
//!
//! No error repeats what it complains about: where a special character of a password was not escaped, a piece
//! of the password stands in what reads as the port, the path or a parameter.

use redis::{ConnectionInfo, IntoConnectionInfo, parse_redis_url};

use super::connect::ConnectError;

pub(super) fn parse(url: &str) -> Result<ConnectionInfo, ConnectError> {
    let (scheme, rest) =
        url.split_once("://").ok_or(invalid("scheme", "begin with redis://, valkey:// or unix://"))?;
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !fragment.is_empty() {
        return Err(invalid(
            "fragment",
            "leave out what follows the #, or write %23 if it belongs to a password",
        ));
    }
    let known = match scheme {
        "redis" | "valkey" => {
            check_authority_and_database(rest)?;
            "protocol"
        }
        "unix" | "redis+unix" | "valkey+unix" => {
            if !rest.starts_with('/') || rest.len() == 1 {
                return Err(invalid("path", "give the absolute path of the socket"));
            }
            "db, user, pass, protocol"
        }
        "rediss" | "valkeys" => return Err(invalid("scheme", "connections with TLS are not supported")),
        _ => return Err(invalid("scheme", "begin with redis://, valkey:// or unix://")),
    };
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        check_parameter(parameter, known)?;
    }
    let parsed = parse_redis_url(url)
        .ok_or(invalid("host", "write a name or an address; IPv6 addresses in brackets"))?;
    parsed
        .into_connection_info()
        .map_err(|_| invalid("user or password", "percent-encode its special characters as UTF-8"))
}

fn check_authority_and_database(rest: &str) -> Result<(), ConnectError> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    // The colons inside an IPv6 address are not the one before the port.
    let (host, port) = match place.rfind(':') {
        Some(colon) if !place[colon..].contains(']') => (&place[..colon], Some(&place[colon + 1..])),
        _ => (place, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(invalid(
            "port",
            "write a number from 0 to 65535, and percent-encode any / ? # @ : in the password",
        ));
    }
    if host.is_empty() {
        return Err(invalid("host", "name the server, as in redis://localhost:6379/0"));
    }
    if matches!(host, "0.0.0.0" | "[::]") {
        return Err(invalid("host", "a server listens there, but nobody can connect to it"));
    }
    let database = path.trim_end_matches('/');
    if !database.is_empty() && database.parse::<u32>().is_err() {
        return Err(invalid("database", "write its number after the host, as in redis://localhost/0"));
    }
    Ok(())
}

fn check_parameter(parameter: &str, known: &'static str) -> Result<(), ConnectError> {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    if !known.split(", ").any(|known| known == name) {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'));
        return Err(ConnectError::UnknownParameter {
            name: if plain { name.to_owned() } else { "…".to_owned() },
            known,
        });
    }
    match name {
        "protocol" if !matches!(value, "2" | "3" | "resp2" | "resp3") => {
            Err(invalid("protocol", "write resp2 or resp3"))
        }
        "db" if value.parse::<u32>().is_err() => Err(invalid("database", "write its number, as in ?db=0")),
        _ => Ok(()),
    }
}

fn invalid(part: &'static str, remedy: &'static str) -> ConnectError {
    ConnectError::InvalidUrl { part, remedy }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    fn wrong_part(url: &str) -> String {
        match parse(url) {
            Err(ConnectError::InvalidUrl { part, .. }) => part.to_owned(),
            Err(ConnectError::UnknownParameter { name, .. }) => format!("?{name}"),
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn an_error_names_the_part_that_is_wrong() {
        for (url, part) in [
            ("localhost:6379", "scheme"),
            ("", "scheme"),
            ("http://localhost", "scheme"),
            ("rediss://localhost", "scheme"),
            ("redis://", "host"),
            ("redis://:6379", "host"),
            ("redis://user:secret@/0", "host"),
            ("redis://[::1", "host"),
            ("redis://0.0.0.0", "host"),
            ("redis://localhost:port", "port"),
            ("redis://localhost:65536", "port"),
            ("redis://localhost/first", "database"),
            ("redis://localhost/-1", "database"),
            ("redis://localhost/0/1", "database"),
            ("redis://localhost/0?protocol=4", "protocol"),
            ("redis://localhost/0?time_out=4", "?time_out"),
            ("redis://localhost/0?db=4", "?db"),
            ("redis://localhost/0#insecure", "fragment"),
            ("redis://%ff:secret@localhost", "user or password"),
            ("redis://user:%ff@localhost", "user or password"),
            ("unix://", "path"),
            ("unix:///tmp/redis.sock?db=first", "database"),
            ("unix:///tmp/redis.sock?timeout=1", "?timeout"),
        ] {
            assert_eq!(wrong_part(url), part, "{url}");
        }
    }

    #[test]
    fn an_error_never_repeats_a_password() {
        for special in ["/", "?", "#", "@", ":", "[", "%", " ", "&", "?protocol="] {
            let url = format!("redis://user:hunter2{special}hunter3@localhost:6379/0");
            if let Err(error) = parse(&url) {
                let text = format!("{error} {error:?}");
                assert!(!text.contains("hunter"), "{text}");
            }
        }
    }

    #[test]
    fn what_is_right_is_taken_as_it_is() {
        let info = parse("redis://user:hunter%232@[::1]:7000/3?protocol=resp3").unwrap();
        assert_eq!(info.addr().to_string(), "::1:7000");
        assert_eq!(info.redis_settings().db(), 3);
        assert_eq!(info.redis_settings().username(), Some("user"));
        assert_eq!(info.redis_settings().password(), Some("hunter#2"));
        let info = parse("valkey://localhost").unwrap();
        assert_eq!(info.addr().to_string(), "localhost:6379");
        let info = parse("unix:///tmp/redis.sock?db=2&user=u&pass=p").unwrap();
        assert_eq!(info.addr().to_string(), "/tmp/redis.sock");
        assert_eq!(info.redis_settings().db(), 2);
    }
}
