//! Bencher Metric Format: benchmark → measure → value with its bounds. Latency in nanoseconds, as Bencher's own adapters give it.

use crate::{FormatError, Measured};
use serde_json::{Map, Value, json};

/// Writes results of one commit; the mode is part of the name.
///
/// # Errors
/// [`FormatError::Nothing`] without a result.
pub fn write(measured: &[Measured]) -> Result<String, FormatError> {
    if measured.is_empty() {
        return Err(FormatError::Nothing("no benchmark is ok there"));
    }
    let mut map = Map::new();
    for result in measured {
        let mut latency = json!({ "value": result.seconds * 1e9 });
        if let Some((low, high)) = result.interval {
            latency["lower_value"] = (low * 1e9).into();
            latency["upper_value"] = (high * 1e9).into();
        }
        map.insert(
            format!("{} [{}]", result.benchmark, result.mode),
            json!({ "latency": latency }),
        );
    }
    Ok(format!("{:#}\n", Value::Object(map)))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn bounds_are_there_when_they_are_known() {
        let mut all = crate::test::sample();
        all[0].interval = None;
        let value: Value = serde_json::from_str(&write(&all[..2]).unwrap()).unwrap();
        assert_eq!(
            value["micro/calls [off]"]["latency"]["lower_value"],
            Value::Null
        );
        assert!(
            value["micro/loops [off]"]["latency"]["upper_value"]
                .as_f64()
                .unwrap()
                > 1e6
        );
        assert!(write(&[]).is_err());
    }
}
