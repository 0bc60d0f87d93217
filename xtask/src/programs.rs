//! Where programs are, and how to get those that are missing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Result;

/// A server that tests need: how to find it and what to install.
pub(crate) struct Wanted {
    /// For messages.
    pub(crate) name: &'static str,
    /// Servers that do, each followed by the other programs that it can't be started without. The first server
    /// that is found is taken; it counts as missing while one of its companions is.
    pub(crate) programs: &'static [&'static [&'static str]],
    /// Folders to look in before the path; `*` stands for one folder, of several the highest version is taken.
    pub(crate) folders: &'static [&'static str],
    /// Packages of Debian and Ubuntu; all of them.
    pub(crate) apt: &'static [&'static str],
    /// The package of Fedora, and of Homebrew.
    pub(crate) dnf: &'static str,
    pub(crate) brew: &'static str,
    /// The variable that makes it unnecessary.
    pub(crate) variable: &'static str,
}

impl Wanted {
    /// The program, which is installed first if need be and possible.
    ///
    /// # Errors
    /// Says what to do when it is missing and cannot be installed.
    pub(crate) fn find_or_install(&self) -> Result<PathBuf> {
        let missing = match self.find() {
            Ok(found) => return Ok(found),
            Err(missing) => missing,
        };
        if find("apt-get", &[]).is_none() {
            return Err(self.remedy("", &missing).into());
        }
        eprintln!("xtask: {} lacks {missing}: installing {} with apt-get", self.name, self.apt.join(", "));
        let install = [&["install", "--yes", "--no-install-recommends"], self.apt].concat();
        for arguments in [&["update"], &install[..]] {
            if !apt_get(arguments)? {
                return Err(self.remedy("apt-get failed. ", &missing).into());
            }
        }
        self.find().map_err(|missing| self.remedy("apt-get brought too little. ", &missing).into())
    }

    /// The server, or which programs are missing.
    fn find(&self) -> std::result::Result<PathBuf, String> {
        for programs in self.programs {
            let [server, companions @ ..] = programs else { continue };
            let Some(found) = find(server, self.folders) else { continue };
            let missing: Vec<_> = companions
                .iter()
                .copied()
                .filter(|companion| self.companion(&found, companion).is_none())
                .collect();
            return if missing.is_empty() { Ok(found) } else { Err(missing.join(" and ")) };
        }
        let servers: Vec<_> = self.programs.iter().filter_map(|programs| programs.first().copied()).collect();
        Err(servers.join(" or "))
    }

    /// A program that belongs to `server`: it stands beside it, or where servers are looked for.
    pub(crate) fn companion(&self, server: &Path, program: &str) -> Option<PathBuf> {
        let beside = server.with_file_name(program);
        if beside.is_file() { Some(beside) } else { find(program, self.folders) }
    }

    fn remedy(&self, prefix: &str, missing: &str) -> String {
        let install = [
            ("apt-get", format!("apt-get install {}", self.apt.join(" "))),
            ("dnf", format!("dnf install {}", self.dnf)),
            ("brew", format!("brew install {}", self.brew)),
        ]
        .into_iter()
        .find(|(manager, _)| find(manager, &[]).is_some())
        .map_or_else(|| format!("install {}", self.name), |(_, command)| format!("run `{command}`"));
        format!(
            "{prefix}{} is missing (no {missing} found): {install}, or set {} to use one that you have",
            self.name, self.variable
        )
    }
}

/// Runs apt-get; through sudo, which may ask for a password, unless this is root already.
fn apt_get(arguments: &[&str]) -> Result<bool> {
    let mut command = if current_user()? == 0 { Command::new("env") } else { Command::new("sudo") };
    // Run level 1 keeps most packages from starting a server of the whole machine.
    command.args(["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-qq"]).args(arguments);
    Ok(command.status().is_ok_and(|status| status.success()))
}

/// The user that this process runs as; 0 is root.
pub(crate) fn current_user() -> Result<u32> {
    use std::os::unix::fs::MetadataExt;
    // What a process creates is its own.
    Ok(tempfile::tempfile()?.metadata()?.uid())
}

/// Looks in `folders`, then along the path, then where servers are kept that are not on it.
pub(crate) fn find(program: &str, folders: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec", "/opt/homebrew/bin"];
    folders
        .iter()
        .flat_map(|pattern| expand(Path::new(pattern)))
        .chain(env::split_paths(&path))
        .chain(usual.iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// The folders that `pattern` stands for, highest version first.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern {
        let part = part.to_string_lossy();
        found = match part.split_once('*') {
            None => found.into_iter().map(|folder| folder.join(&*part)).collect(),
            Some((before, after)) => found
                .iter()
                .flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten())
                .map(|entry| entry.path())
                .filter(|path| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    name.starts_with(before) && name.ends_with(after)
                })
                .collect(),
        };
    }
    found.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    found
}

/// The numbers in a path.
fn version(folder: &Path) -> Vec<u64> {
    let text = folder.to_string_lossy();
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_comes_first() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for version in ["9.6", "15", "17", "8"] {
            fs::create_dir_all(folder.path().join(version).join("bin")).expect("a folder");
        }
        let found = expand(&folder.path().join("*/bin"));
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(folder.path()).expect("inside")).collect();
        assert_eq!(names, ["17/bin", "15/bin", "9.6/bin", "8/bin"].map(Path::new));
    }

    const TEAPOT: Wanted = Wanted {
        name: "Teapot",
        programs: &[&["teapotd", "teapot-install", "teapot-lid"], &["kettled"]],
        folders: &[],
        apt: &["teapot-server", "teapot-tools"],
        dnf: "teapot-server",
        brew: "teapot-server",
        variable: "CACHE_TEST_TEAPOT_URL",
    };

    #[test]
    fn a_missing_server_comes_with_two_remedies() {
        let missing = TEAPOT.find().expect_err("no machine has one");
        let message = TEAPOT.remedy("", &missing);
        assert!(message.starts_with("Teapot is missing (no teapotd or kettled found): "), "{message}");
        assert!(message.ends_with("or set CACHE_TEST_TEAPOT_URL to use one that you have"), "{message}");
    }

    /// A package that was installed without the one that holds its tools: the server is there and can't start.
    #[test]
    fn a_server_without_its_companions_is_missing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_str().expect("a name in Unicode").to_owned();
        // A test runs once: what it leaks is a path.
        let folders: &'static [&'static str] = Vec::leak(vec![&*String::leak(path)]);
        let wanted = Wanted { folders, ..TEAPOT };
        let add = |program: &str| fs::write(folder.path().join(program), "").expect("a file");
        // Another server that would do does not make up for it: it may be a link to this one.
        add("kettled");
        add("teapotd");
        assert_eq!(wanted.find(), Err("teapot-install and teapot-lid".to_owned()));
        add("teapot-install");
        assert_eq!(wanted.find(), Err("teapot-lid".to_owned()));
        add("teapot-lid");
        assert_eq!(wanted.find(), Ok(folder.path().join("teapotd")));
    }

    #[test]
    fn a_program_is_found_along_the_path() {
        assert!(find("sh", &[]).is_some());
        assert_eq!(find("no program has this name", &["/"]), None);
    }
}
