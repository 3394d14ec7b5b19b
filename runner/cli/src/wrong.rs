//! Errors that are the caller's: a name that does not exist, a file that is not there. Exit code 2, where those of the machine are 6.

use anyhow::Error;

/// An error of the caller's, with what is wrong and what to do.
#[derive(Debug)]
struct Wrong(String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// Marks `error` as the caller's.
pub(crate) fn wrong(error: Error) -> Error {
    Error::new(Wrong(format!("{error:#}")))
}

/// Nothing is called `name`; says what there is.
pub(crate) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Error {
    let known: Vec<&str> = known.into_iter().collect();
    Error::new(Wrong(match known.is_empty() {
        true => format!("no {what} called {name}; there are none"),
        false => format!("no {what} called {name}; there are: {}", known.join(", ")),
    }))
}

/// Whether `error` is the caller's.
pub(crate) fn is_wrong(error: &Error) -> bool {
    error.downcast_ref::<Wrong>().is_some()
        || error.chain().any(|cause| {
            matches!(
                cause.downcast_ref::<builds::BuildsError>(),
                Some(
                    builds::BuildsError::NoRevision { .. } | builds::BuildsError::NotBefore { .. }
                )
            )
        })
}

#[cfg(test)]
mod test {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn what_the_caller_named_is_told_from_what_the_machine_did() {
        let revision = || builds::BuildsError::NoRevision {
            path: "p".into(),
            revision: "r".into(),
        };
        let result: Result<(), _> = Err(revision());
        assert!(is_wrong(&result.context("subject vm").unwrap_err()));
        let error = unknown("mode", "fast", ["off", "opt"]);
        assert_eq!(
            error.to_string(),
            "no mode called fast; there are: off, opt"
        );
        assert!(is_wrong(&error) && is_wrong(&error.context("more")));
        assert!(!is_wrong(&anyhow!("the disk is full")));
    }
}
