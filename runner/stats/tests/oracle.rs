//! The same answers as SciPy, statsmodels, ruptures and Otava gave; see `fixtures/generate.py`.

use serde_json::Value;
use stats::{changes, holm, sample, warmup, welch};

fn oracle(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("fixtures/oracle.json")).unwrap();
    let cases = all[part].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn close(a: f64, b: &Value, what: &str) {
    let b = b.as_f64().unwrap();
    assert!(
        (a - b).abs() <= 1e-8 * b.abs().max(1.0),
        "{what}: {a} and {b}"
    );
}

#[test]
fn welch_is_scipys() {
    for case in oracle("welch") {
        let result = welch::welch(&numbers(&case["old"]), &numbers(&case["new"])).unwrap();
        close(result.t, &case["t"], "t");
        close(result.df, &case["df"], "df");
        close(result.p, &case["p"], "p");
        close(result.low, &case["low"], "low");
        close(result.high, &case["high"], "high");
    }
}

#[test]
fn holm_is_statsmodels() {
    for case in oracle("holm") {
        let adjusted = holm::holm(&numbers(&case["p"]));
        let expected = case["adjusted"].as_array().unwrap();
        assert_eq!(adjusted.len(), expected.len());
        for (a, b) in adjusted.iter().zip(expected) {
            close(*a, b, "p");
        }
    }
}

#[test]
fn quantiles_are_numpys() {
    for case in oracle("quantile") {
        let values = numbers(&case["values"]);
        for (p, expected) in [0.1, 0.25, 0.5, 0.75, 0.9]
            .into_iter()
            .zip(case["quantiles"].as_array().unwrap())
        {
            close(sample::quantile(&values, p), expected, "quantile");
        }
        close(sample::robust_sd(&values), &case["robust_sd"], "robust sd");
    }
}

#[test]
fn segmentation_is_that_of_ruptures() {
    for case in oracle("pelt") {
        let cuts = warmup::pelt(&numbers(&case["values"]), case["penalty"].as_f64().unwrap());
        let expected: Vec<usize> = numbers(&case["cuts"])
            .iter()
            .map(|cut| *cut as usize)
            .collect();
        assert_eq!(cuts, expected);
    }
}

#[test]
fn change_points_are_otavas_on_99_percent_of_series() {
    let cases = oracle("otava");
    let (mut same, mut changes, mut same_p) = (0, 0, 0);
    for case in &cases {
        let found =
            changes::split_merge(&numbers(&case["values"]), changes::WINDOW, changes::MAX_P)
                .unwrap();
        let expected = case["changes"].as_array().unwrap();
        let indices: Vec<u64> = found.iter().map(|change| change.index as u64).collect();
        let wanted: Vec<u64> = expected
            .iter()
            .map(|change| change["index"].as_u64().unwrap())
            .collect();
        if indices == wanted {
            same += 1;
            changes += found.len();
            same_p += found
                .iter()
                .zip(expected)
                .filter(|(ours, theirs)| {
                    let p = theirs["p"].as_f64().unwrap();
                    (ours.p - p).abs() <= 1e-8 * p
                })
                .count();
        }
    }
    println!("{same} of {} series, {same_p} of {changes} p", cases.len());
    assert!(same * 100 >= cases.len() * 99, "{same} of {}", cases.len());
    // Otava leaves the p of a change's left neighbour as it was when it gives the change up; ours follows.
    assert!(same_p * 100 >= changes * 90, "{same_p} of {changes}");
}
