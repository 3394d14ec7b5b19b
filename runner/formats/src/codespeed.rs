//! Codespeed's POST: what `pyperformance upload` and other clients of that server send.
//!
//! The body is a form. To `result/add/json/` its field `json` holds an array of results, to `result/add/` the fields are those of one
//! result. Each is one number, a mean in seconds, of one executable at one commit in one environment; how it was measured is not
//! told, so it has no interval here either.

use crate::{FormatError, Imported, ImportedProcess, Unit, missing, one_line, positive};
use serde_json::{Map, Value};

const FORMAT: &str = "Codespeed's form";

/// Fields without which a result means nothing.
const NEEDED: [&str; 7] = [
    "commitid",
    "branch",
    "project",
    "executable",
    "benchmark",
    "environment",
    "result_value",
];

/// Longest name that is taken in; longer ones are refused, not cut.
const LONGEST: usize = 200;

/// Reads a form's body. The program of a result is `executable@commit (environment)`.
///
/// # Errors
/// [`FormatError::Json`], [`FormatError::Missing`] with the field's name, [`FormatError::NotPositive`].
pub fn read(body: &str) -> Result<Vec<Imported>, FormatError> {
    let fields = form(body)?;
    let results = match fields.iter().find(|(name, _)| name == "json") {
        Some((_, json)) => match serde_json::from_str(json)? {
            Value::Array(results) => results,
            one => vec![one],
        },
        None => {
            let fields = fields.into_iter().map(|(name, value)| (name, value.into()));
            vec![Value::Object(fields.collect::<Map<_, _>>())]
        }
    };
    if results.is_empty() {
        return Err(missing(FORMAT, "any result"));
    }
    results.iter().map(result).collect()
}

fn result(of: &Value) -> Result<Imported, FormatError> {
    let field = |name: &str| -> Option<String> {
        let text = match &of[name] {
            Value::String(text) => one_line(text),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty() && text.len() <= LONGEST).then_some(text)
    };
    for name in NEEDED {
        if field(name).is_none() {
            return Err(missing(FORMAT, format!("the field {name}")));
        }
    }
    let text = |name: &str| field(name).unwrap_or_default();
    let benchmark = text("benchmark");
    if !matches!(text("units").as_str(), "" | "s" | "sec" | "seconds") {
        return Err(missing(
            FORMAT,
            format!("seconds as the unit of {benchmark}"),
        ));
    }
    let value: f64 = text("result_value").parse().map_err(|_| {
        missing(
            FORMAT,
            format!("a number as the result_value of {benchmark}"),
        )
    })?;
    let commit: String = text("commitid").chars().take(12).collect();
    Ok(Imported {
        program: format!("{}@{commit} ({})", text("executable"), text("environment")),
        processes: vec![ImportedProcess {
            values: vec![positive(value, &benchmark)?],
            warmups: 0,
        }],
        benchmark,
        unit: Unit::Seconds,
    })
}

/// The fields of an `application/x-www-form-urlencoded` body.
fn form(body: &str) -> Result<Vec<(String, String)>, FormatError> {
    body.trim()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, FormatError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                match (digit(), digit()) {
                    (Some(high), Some(low)) => (high * 16 + low) as u8,
                    _ => return Err(missing(FORMAT, "two hexadecimal digits behind a %")),
                }
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| missing(FORMAT, "UTF-8 text"))
}

#[cfg(test)]
mod test {
    use super::*;

    const ONE: &str = "commitid=0123456789abcdef&branch=main&project=VM&executable=vm+jit&benchmark=calls%2Fdeep&environment=box&result_value=0.25";

    #[test]
    fn one_result_as_fields_and_many_as_json() {
        let one = read(ONE).unwrap();
        assert_eq!(one[0].benchmark, "calls/deep");
        assert_eq!(one[0].program, "vm jit@0123456789ab (box)");
        assert_eq!(one[0].processes[0].values, [0.25]);
        let json = r#"[{"commitid":"c1","branch":"b","project":"p","executable":"e","benchmark":"x","environment":"m","result_value":1.5,"std_dev":0.1},
                      {"commitid":"c1","branch":"b","project":"p","executable":"e","benchmark":"y","environment":"m","result_value":"2"}]"#;
        let encoded: String = json.bytes().map(|b| format!("%{b:02X}")).collect();
        let many = read(&format!("json={encoded}")).unwrap();
        assert_eq!(many.len(), 2);
        assert_eq!(many[1].processes[0].values, [2.0]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, says) in [
            ("", "the field commitid"),
            (&ONE.replace("branch=main&", ""), "the field branch"),
            (
                &ONE.replace("0.25", "fast"),
                "a number as the result_value of calls/deep",
            ),
            (&ONE.replace("0.25", "0"), "0 is no positive finite number"),
            (&format!("{ONE}&units=bytes"), "seconds as the unit"),
            ("json=%5B%5D", "any result"),
            ("json=%7", "two hexadecimal digits"),
            ("json=nonsense", "no JSON"),
            (
                &ONE.replace("calls", &"x".repeat(300)),
                "the field benchmark",
            ),
        ] {
            let error = read(body).unwrap_err().to_string();
            assert!(error.contains(says), "{body}: {error}");
        }
    }
}
