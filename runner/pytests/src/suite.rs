//! Where CPython's tests are installed, and which of them belong together.
//!
//! The tiers are lists of module names beside this file's crate, made from a
//! CPython 3.11.7 source tree with the names that only other 3.11 releases
//! have added; what an installed copy lacks is simply not in its list.

use std::path::{Path, PathBuf};

use crate::PytestsError;

/// How close to the language a test module is; a judgement by subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The language and its built-in types.
    Core,
    /// Types and library that are mostly Python.
    Library,
    /// Wants more native modules.
    Native,
    /// Operating system, network, threads, asyncio.
    System,
}

impl Tier {
    /// Tier number, 0 to 3.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The tier of this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Core, Self::Library, Self::Native, Self::System]
            .get(usize::from(number))
            .copied()
    }

    /// All module names of the tier, over all 3.11 releases, sorted.
    pub fn all_names(self) -> impl Iterator<Item = &'static str> {
        let text = match self {
            Self::Core => include_str!("../tiers/tier0.txt"),
            Self::Library => include_str!("../tiers/tier1.txt"),
            Self::Native => include_str!("../tiers/tier2.txt"),
            Self::System => include_str!("../tiers/tier3.txt"),
        };
        text.lines().filter(|line| !line.is_empty())
    }
}

/// An installed copy of CPython's tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// The folder that holds the package `test`.
    pub root: PathBuf,
}

impl Suite {
    /// The copy below `root`, or `None` when `root/test/` holds no test module.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Option<Self> {
        let suite = Self { root: root.into() };
        // A VM without the suite still has an almost empty `test` package.
        let some = suite.root.join("test/test_int.py").is_file() || !suite.modules().is_empty();
        some.then_some(suite)
    }

    /// The first copy found: `PYTHONHOME`'s, Debian's, a pyenv tree of 3.11.
    ///
    /// # Errors
    /// [`PytestsError::NoSuite`] with the folders looked in.
    pub fn discover() -> Result<Self, PytestsError> {
        let home = std::env::var_os("PYTHONHOME").map(PathBuf::from);
        let pyenv = std::env::var_os("PYENV_ROOT")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
        Self::discover_in(
            home.as_deref(),
            Path::new("/usr/lib/python3.11"),
            pyenv.as_deref(),
        )
    }

    fn discover_in(
        home: Option<&Path>,
        system: &Path,
        pyenv: Option<&Path>,
    ) -> Result<Self, PytestsError> {
        let mut roots: Vec<PathBuf> = Vec::new();
        roots.extend(home.map(|home| home.join("lib/python3.11")));
        roots.push(system.to_path_buf());
        if let Some(pyenv) = pyenv {
            let mut versions: Vec<_> = std::fs::read_dir(pyenv.join("versions"))
                .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
                .unwrap_or_default();
            versions.retain(|path: &PathBuf| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("3.11"))
            });
            versions.sort();
            roots.extend(
                versions
                    .into_iter()
                    .map(|version| version.join("lib/python3.11")),
            );
        }
        roots
            .iter()
            .find_map(Self::at)
            .ok_or_else(|| PytestsError::NoSuite {
                looked: roots
                    .iter()
                    .map(|root| root.join("test").display().to_string())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// Whether the copy has this module (`test_int`, `test_asyncio.test_locks`).
    #[must_use]
    pub fn has(&self, module: &str) -> bool {
        let path = self.root.join("test").join(module.replace('.', "/"));
        path.with_extension("py").is_file() || path.join("__init__.py").is_file()
    }

    /// Names of the tier's modules that this copy has, sorted.
    #[must_use]
    pub fn tier(&self, tier: Tier) -> Vec<String> {
        tier.all_names()
            .filter(|name| self.has(name))
            .map(str::to_owned)
            .collect()
    }

    /// All top-level test modules of this copy, sorted.
    #[must_use]
    pub fn modules(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join("test"));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let name = name.strip_suffix(".py").unwrap_or(&name).to_owned();
                (name.starts_with("test_") && self.has(&name)).then_some(name)
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(root: &Path, modules: &[&str]) {
        let test = root.join("test");
        std::fs::create_dir_all(test.join("test_package")).unwrap();
        std::fs::write(test.join("test_package/__init__.py"), "").unwrap();
        for module in modules {
            std::fs::write(test.join(module).with_extension("py"), "").unwrap();
        }
    }

    #[test]
    fn tiers_are_sorted_and_disjoint() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..4 {
            let names: Vec<_> = Tier::from_number(number).unwrap().all_names().collect();
            assert!(names.len() > 60 && names.is_sorted(), "tier {number}");
            assert!(
                names.iter().all(|name| seen.insert(*name)),
                "tier {number} repeats a name"
            );
        }
        assert!(Tier::from_number(4).is_none());
    }

    #[test]
    fn the_first_copy_with_tests_wins() {
        let folder = tempfile::tempdir().unwrap();
        let (home, system, pyenv) = (
            folder.path().join("home"),
            folder.path().join("sys"),
            folder.path().join("pyenv"),
        );
        let missing = Suite::discover_in(Some(&home), &system, Some(&pyenv)).unwrap_err();
        assert!(
            missing.to_string().contains("home/lib/python3.11/test, "),
            "{missing}"
        );

        let version = pyenv.join("versions/3.11.7/lib/python3.11");
        install(&version, &["test_int", "test_set", "helper"]);
        let found = Suite::discover_in(Some(&home), &system, Some(&pyenv)).unwrap();
        assert_eq!(found.root, version);
        assert_eq!(found.modules(), ["test_int", "test_package", "test_set"]);
        assert_eq!(found.tier(Tier::Core), ["test_int", "test_set"]);
        assert!(found.has("test_package") && !found.has("test_package.test_x"));

        install(&system, &["test_int"]);
        let found = Suite::discover_in(Some(&home), &system, Some(&pyenv)).unwrap();
        assert_eq!(found.root, system);
    }
}
