//! Prints figures: `cargo run --release -p simulate --example figures -- bisect 300`.

use simulate::{Effort, GROUPS, group};

fn main() {
    let mut args = std::env::args().skip(1);
    let wanted = args.next().unwrap_or_else(|| "all".into());
    let trials = args.next().and_then(|n| n.parse().ok()).unwrap_or(100);
    for name in GROUPS
        .iter()
        .filter(|name| wanted == "all" || wanted == **name)
    {
        for figure in group(name, Effort { seed: 1, trials })
            .into_iter()
            .flatten()
        {
            println!(
                "{} {:70} {:>12} {:>20}",
                if figure.holds { " " } else { "!" },
                figure.what,
                figure.shown(),
                figure.wanted()
            );
        }
    }
}
