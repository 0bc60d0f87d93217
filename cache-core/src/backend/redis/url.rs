//! Reads a URL part by part, so that an error can name the part that is wrong.
//!
//! No error repeats what it complains about: where a special character of a password was not escaped, a piece
//! of the password stands in what reads as the port, the path or a parameter.

use redis::{ConnectionInfo, IntoConnectionInfo, parse_redis_url};

use super::error::ConnectError;

/// What a URL names.
#[derive(Debug)]
pub enum Endpoint {
    /// One server.
    Server(ConnectionInfo),
    /// The master that Sentinels name.
    Sentinels {
        /// How to connect to each of them.
        sentinels: Vec<ConnectionInfo>,
        /// What they call the master.
        master: String,
        /// How to connect to the master. Its address is that of the first Sentinel.
        info: ConnectionInfo,
    },
}

/// Reads a URL. Asks nobody whether it leads anywhere.
pub fn parse(url: &str) -> Result<Endpoint, ConnectError> {
    let (scheme, rest) = url.split_once("://").ok_or(SCHEME)?;
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !fragment.is_empty() {
        return Err(invalid(
            "fragment",
            "leave out what follows the #, or write %23 if it belongs to a password",
        ));
    }
    let (scheme, by_sentinel) = match scheme.strip_suffix("+sentinel") {
        Some(scheme) => (scheme, true),
        None => (scheme, false),
    };
    match scheme {
        "redis" | "valkey" => {}
        "rediss" | "valkeys" if cfg!(feature = "redis-tls") => {}
        "rediss" | "valkeys" => {
            return Err(invalid("scheme", "connections with TLS need the feature `redis-tls`"));
        }
        "unix" | "redis+unix" | "valkey+unix" if !by_sentinel => {
            if !rest.starts_with('/') || rest.len() == 1 {
                return Err(invalid("path", "give the absolute path of the socket"));
            }
            check_parameters(query, "db, user, pass, protocol")?;
            return info(url).map(Endpoint::Server);
        }
        _ => return Err(SCHEME),
    }
    if by_sentinel {
        return parse_sentinels(scheme, rest, query);
    }
    check_authority_and_database(rest)?;
    check_parameters(query, "protocol")?;
    info(url).map(Endpoint::Server)
}

/// `[user][:password@]host[:port][,host[:port]…]/master[/database]`: each Sentinel, and then the master, is read
/// as a server's URL.
fn parse_sentinels(scheme: &str, rest: &str, query: &str) -> Result<Endpoint, ConnectError> {
    check_parameters(query, "sentinel_user, sentinel_pass, protocol")?;
    let parameter = |wanted| query.split('&').find_map(|parameter| parameter.strip_prefix(wanted));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (master, database) = path.split_once('/').unwrap_or((path, ""));
    if master.is_empty() || !master.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        return Err(invalid(
            "master",
            "write the name that the Sentinels know it by after their addresses, as in \
             redis+sentinel://one,two,three/mymaster/0",
        ));
    }
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let login = if login.is_empty() { String::new() } else { format!("{login}@") };
    let own_login = match (parameter("sentinel_user="), parameter("sentinel_pass=")) {
        (None, None) => String::new(),
        (user, pass) => format!("{}:{}@", user.unwrap_or_default(), pass.unwrap_or_default()),
    };
    let protocol = parameter("protocol=").map(|version| format!("?protocol={version}")).unwrap_or_default();
    let mut sentinels = Vec::new();
    let mut first = None;
    for host in hosts.split(',') {
        let ported = host.rfind(':').is_some_and(|colon| !host[colon..].contains(']'));
        let place = if ported { host.to_owned() } else { format!("{host}:{PORT}") };
        check_authority_and_database(&place)?;
        sentinels.push(info(&format!("{scheme}://{own_login}{place}"))?);
        first.get_or_insert(place);
    }
    let at_master = format!("{login}{}/{database}", first.unwrap_or_default());
    check_authority_and_database(&at_master)?;
    let info = info(&format!("{scheme}://{at_master}{protocol}"))?;
    Ok(Endpoint::Sentinels { sentinels, master: master.to_owned(), info })
}

/// Where a Sentinel listens unless it is told otherwise.
const PORT: u16 = 26379;

fn info(url: &str) -> Result<ConnectionInfo, ConnectError> {
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

fn check_parameters(query: &str, known: &'static str) -> Result<(), ConnectError> {
    query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .try_for_each(|parameter| check_parameter(parameter, known))
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

const SCHEME: ConnectError = invalid(
    "scheme",
    "begin with redis://, rediss://, redis+sentinel://, rediss+sentinel://, valkey:// or unix://",
);

const fn invalid(part: &'static str, remedy: &'static str) -> ConnectError {
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
            ("unix+sentinel:///tmp/redis.sock", "scheme"),
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
            ("redis+sentinel://localhost", "master"),
            ("redis+sentinel://localhost/", "master"),
            ("redis+sentinel://localhost/my master/0", "master"),
            ("redis+sentinel:///mymaster", "host"),
            ("redis+sentinel://one,,two/mymaster", "host"),
            ("redis+sentinel://one,two:port/mymaster", "port"),
            ("redis+sentinel://one/mymaster/first", "database"),
            ("redis+sentinel://one/mymaster/0?db=1", "?db"),
            ("redis+sentinel://%ff:secret@one/mymaster", "user or password"),
            ("redis+sentinel://one/mymaster?sentinel_pass=%ff", "user or password"),
        ] {
            assert_eq!(wrong_part(url), part, "{url}");
        }
    }

    #[test]
    fn an_error_never_repeats_a_password() {
        for special in ["/", "?", "#", "@", ":", "[", "%", " ", "&", "?protocol="] {
            for url in [
                format!("redis://user:hunter2{special}hunter3@localhost:6379/0"),
                format!("redis+sentinel://user:hunter2{special}hunter3@one,two/mymaster/0"),
                format!("redis+sentinel://one,two/mymaster?sentinel_pass=hunter2{special}hunter3"),
            ] {
                if let Err(error) = parse(&url) {
                    let text = format!("{error} {error:?}");
                    assert!(!text.contains("hunter"), "{text}");
                }
            }
        }
    }

    fn server(url: &str) -> ConnectionInfo {
        match parse(url).unwrap() {
            Endpoint::Server(info) => info,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn what_is_right_is_taken_as_it_is() {
        let info = server("redis://user:hunter%232@[::1]:7000/3?protocol=resp3");
        assert_eq!(info.addr().to_string(), "::1:7000");
        assert_eq!(info.redis_settings().db(), 3);
        assert_eq!(info.redis_settings().username(), Some("user"));
        assert_eq!(info.redis_settings().password(), Some("hunter#2"));
        let info = server("valkey://localhost");
        assert_eq!(info.addr().to_string(), "localhost:6379");
        let info = server("unix:///tmp/redis.sock?db=2&user=u&pass=p");
        assert_eq!(info.addr().to_string(), "/tmp/redis.sock");
        assert_eq!(info.redis_settings().db(), 2);
    }

    #[test]
    fn sentinels_and_their_master_have_logins_of_their_own() {
        let url = "redis+sentinel://user:hunter%232@one,[::1]:7000/my-master/3?sentinel_pass=p%26";
        let Endpoint::Sentinels { sentinels, master, info } = parse(url).unwrap() else { panic!("{url}") };
        let places: Vec<_> = sentinels.iter().map(|info| info.addr().to_string()).collect();
        assert_eq!(
            (places, master.as_str()),
            (vec!["one:26379".to_owned(), "::1:7000".to_owned()], "my-master")
        );
        for info in &sentinels {
            assert_eq!(info.redis_settings().password(), Some("p&"));
            assert_eq!(info.redis_settings().db(), 0);
        }
        assert_eq!(info.redis_settings().username(), Some("user"));
        assert_eq!(info.redis_settings().password(), Some("hunter#2"));
        assert_eq!(info.redis_settings().db(), 3);
    }

    #[cfg(not(feature = "redis-tls"))]
    #[test]
    fn tls_without_its_feature_is_an_error_that_names_it() {
        for url in ["rediss://localhost", "rediss+sentinel://localhost/mymaster"] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains("redis-tls"), "{error}");
        }
    }

    #[cfg(feature = "redis-tls")]
    #[test]
    fn tls_is_for_the_sentinels_as_well() {
        let tls = |info: &ConnectionInfo| {
            matches!(info.addr(), redis::ConnectionAddr::TcpTls { insecure: false, .. })
        };
        assert!(tls(&server("rediss://localhost")));
        match parse("rediss+sentinel://one,two/mymaster").unwrap() {
            Endpoint::Sentinels { sentinels, info, .. } => assert!(tls(&info) && sentinels.iter().all(tls)),
            other => panic!("{other:?}"),
        }
    }
}
