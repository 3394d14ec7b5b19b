//! Addresses of pages: every page has one path, the same in the static folder and on the server.
//!
//! Names come from outside and may hold anything, so a path is never taken apart to find a name: the site
//! lists the addresses of what exists, and a path either is one of them or leads nowhere. That is also why
//! there is nothing to traverse.

/// A page within a scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    /// Last night, summaries.
    Overview,
    /// All benchmarks.
    Benchmarks,
    /// One benchmark over revisions.
    Benchmark(String),
    /// Bars over one baseline.
    Speedups(String),
    /// Benchmarks x revisions in one mode.
    Grid(String),
    /// All warm-up curves.
    Warmups,
    /// Warm-up of one benchmark.
    Warmup(String),
    /// CPython's library tests at the newest revision that has them.
    Library,
    /// Builds.
    Builds,
    /// All revisions.
    Commits,
    /// Everything about one revision, by its full id.
    Commit(String),
    /// Differences between neighbouring revisions.
    Alerts,
    /// Pairs of revisions.
    Comparisons,
    /// Two revisions against each other, the older first, by their full ids.
    Compare(String, String),
    /// Searches for a commit.
    Searches,
    /// One search.
    Search(i64),
    /// Nights, environment, machines.
    Status,
}

impl Route {
    /// Path below the scope's folder, with forward slashes.
    #[must_use]
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Overview => "index.html".to_owned(),
            Self::Benchmarks => "benchmarks/index.html".to_owned(),
            Self::Benchmark(name) => format!("benchmarks/{}.html", slug(name)),
            Self::Speedups(baseline) => format!("speedups/{}.html", slug(baseline)),
            Self::Grid(mode) => format!("grid/{}.html", slug(mode)),
            Self::Warmups => "warmup/index.html".to_owned(),
            Self::Warmup(name) => format!("warmup/{}.html", slug(name)),
            Self::Library => "library/index.html".to_owned(),
            Self::Builds => "builds/index.html".to_owned(),
            Self::Commits => "commits/index.html".to_owned(),
            Self::Commit(sha) => format!("commits/{}.html", slug(sha)),
            Self::Alerts => "alerts/index.html".to_owned(),
            Self::Comparisons => "compare/index.html".to_owned(),
            Self::Compare(old, new) => format!("compare/{}-{}.html", short(old), short(new)),
            Self::Searches => "searches/index.html".to_owned(),
            Self::Search(id) => format!("searches/{id}.html"),
            Self::Status => "status/index.html".to_owned(),
        }
    }
}

/// A page within the whole site.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    /// Folder of the scope with a trailing slash; empty for the first scope.
    pub(crate) folder: String,
    /// The page.
    pub(crate) route: Route,
}

impl Address {
    /// Path from the site's root.
    #[must_use]
    pub(crate) fn path(&self) -> String {
        format!("{}{}", self.folder, self.route.path())
    }

    /// The way from this page to a path from the site's root.
    #[must_use]
    pub(crate) fn to_root_path(&self, path: &str) -> String {
        format!("{}{path}", "../".repeat(self.path().matches('/').count()))
    }

    /// The way from this page to another of the same scope.
    #[must_use]
    pub(crate) fn to(&self, route: &Route) -> String {
        self.to_root_path(&format!("{}{}", self.folder, route.path()))
    }
}

/// The digits of an id by which a pair is addressed.
fn short(sha: &str) -> String {
    slug(sha.get(..12).unwrap_or(sha))
}

const LONGEST_SLUG: usize = 96;

/// A file name for `name`: letters, digits, `_`, `-` and single inner dots stay, other bytes become `~hh`; a long
/// one is cut and ends in a hash of the whole. The name `index` is escaped, as each folder has that page.
#[must_use]
pub(crate) fn slug(name: &str) -> String {
    let mut out = String::new();
    for (i, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => out.push(char::from(byte)),
            b'.' if i > 0 && name.as_bytes()[i - 1] != b'.' => out.push('.'),
            _ => out.push_str(&format!("~{byte:02x}")),
        }
    }
    if out.len() > LONGEST_SLUG {
        // FNV-1a, 64 bits: tells names apart that share a long beginning.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        out.truncate(LONGEST_SLUG - 18);
        out.push_str(&format!("~~{hash:016x}"));
    }
    if out.is_empty() || out == "index" {
        format!("~{out}")
    } else {
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_in_their_folder() {
        for name in [
            "../../etc/passwd",
            "..",
            ".",
            "",
            "a/b",
            "a\\b",
            "c:\\x",
            "%2e%2e",
            "index",
            "\0",
            "x y\n",
        ] {
            let path = Route::Benchmark(name.to_owned()).path();
            assert_eq!(path.matches('/').count(), 1, "{path}");
            assert!(
                !path.contains("/.") && !path.contains('\\') && !path.contains('%'),
                "{path}"
            );
            assert_ne!(path, Route::Benchmarks.path());
        }
    }

    #[test]
    fn long_names_differ_by_their_hash() {
        let (a, b) = (slug(&"x".repeat(500)), slug(&"x".repeat(501)));
        assert_ne!(a, b);
        assert!(a.len() <= LONGEST_SLUG);
    }

    #[test]
    fn links_climb_to_the_root_first() {
        let page = Address {
            folder: "s/other/".to_owned(),
            route: Route::Benchmark("a".to_owned()),
        };
        assert_eq!(
            page.to(&Route::Status),
            "../../../s/other/status/index.html"
        );
        let home = Address {
            folder: String::new(),
            route: Route::Overview,
        };
        assert_eq!(home.to(&Route::Status), "status/index.html");
    }
}
