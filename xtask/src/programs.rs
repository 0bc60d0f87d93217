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
    /// The programs that do; the first one found is taken.
    pub(crate) programs: &'static [&'static str],
    /// Folders to look in before the path; `*` stands for one folder, of several the highest version is taken.
    pub(crate) folders: &'static [&'static str],
    /// Packages of Debian and Ubuntu, Fedora, Homebrew.
    pub(crate) apt: &'static str,
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
        if let Some(found) = self.find() {
            return Ok(found);
        }
        if find("apt-get", &[]).is_none() {
            return Err(self.missing("").into());
        }
        eprintln!("xtask: {} is not installed: installing {} with apt-get", self.name, self.apt);
        for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", self.apt]] {
            if !apt_get(arguments)? {
                return Err(self.missing("apt-get failed. ").into());
            }
        }
        self.find().ok_or_else(|| self.missing("apt-get brought no such program. ").into())
    }

    fn find(&self) -> Option<PathBuf> {
        self.programs.iter().find_map(|program| find(program, self.folders))
    }

    fn missing(&self, prefix: &str) -> String {
        let programs = self.programs.join(" or ");
        let install = [
            ("apt-get", format!("apt-get install {}", self.apt)),
            ("dnf", format!("dnf install {}", self.dnf)),
            ("brew", format!("brew install {}", self.brew)),
        ]
        .into_iter()
        .find(|(manager, _)| find(manager, &[]).is_some())
        .map_or_else(|| format!("install {}", self.name), |(_, command)| format!("run `{command}`"));
        format!(
            "{prefix}{} is missing (no {programs} found): {install}, or set {} to use a running server",
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

    #[test]
    fn a_missing_server_comes_with_two_remedies() {
        let wanted = Wanted {
            name: "Teapot",
            programs: &["teapotd"],
            folders: &[],
            apt: "teapot-server",
            dnf: "teapot-server",
            brew: "teapot-server",
            variable: "CACHE_TEST_TEAPOT_URL",
        };
        assert_eq!(wanted.find(), None);
        let message = wanted.missing("");
        assert!(message.starts_with("Teapot is missing (no teapotd found): "), "{message}");
        assert!(message.ends_with("or set CACHE_TEST_TEAPOT_URL to use a running server"), "{message}");
    }

    #[test]
    fn a_program_is_found_along_the_path() {
        assert!(find("sh", &[]).is_some());
        assert_eq!(find("no program has this name", &["/"]), None);
    }
}
