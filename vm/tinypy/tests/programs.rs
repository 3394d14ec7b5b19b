//! Programs end alike, interpreted and compiled.

mod random;

use random::Tally;

/// `cargo run --release -p tinypy --example fuzz -- 50000` does more of them.
#[test]
fn random_programs_end_alike_interpreted_and_compiled() {
    let mut tally = Tally::default();
    for seed in 1..=500 {
        tally.add(seed).unwrap_or_else(|e| panic!("{e}"));
    }
    println!("{tally}");
    assert!(tally.is_enough(), "{tally}");
}
