//! github-action-benchmark's `customSmallerIsBetter`: an array of name, unit, value, range, extra.

use crate::{FormatError, Measured};
use serde_json::{Value, json};

/// Writes results of one commit.
///
/// # Errors
/// [`FormatError::Nothing`] without a result.
pub fn write(measured: &[Measured]) -> Result<String, FormatError> {
    if measured.is_empty() {
        return Err(FormatError::Nothing("no benchmark is ok there"));
    }
    let entries: Vec<Value> = measured
        .iter()
        .map(|result| {
            let mut entry = json!({
                "name": format!("{} [{}]", result.benchmark, result.mode),
                "unit": "ms",
                "value": result.seconds * 1e3,
                "extra": format!("{} processes, run {}", result.processes.len(), result.run),
            });
            if let Some((low, high)) = result.interval {
                entry["range"] = format!("± {:.3}", (high - low) / 2.0 * 1e3).into();
            }
            entry
        })
        .collect();
    Ok(format!("{:#}\n", Value::Array(entries)))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn each_entry_has_the_three_fields_that_are_required() {
        let value: Value = serde_json::from_str(&write(&crate::test::sample()).unwrap()).unwrap();
        let entries = value.as_array().unwrap();
        assert_eq!(entries.len(), 8);
        for entry in entries {
            assert!(
                entry["name"].is_string() && entry["unit"] == "ms" && entry["value"].is_number()
            );
        }
    }
}
