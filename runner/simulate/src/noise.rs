//! How a process varies.

use stats::rng::Rng;

/// The shape of the noise between processes, with standard deviation 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Normal,
    /// Student's t with 4 degrees of freedom.
    Heavy,
    /// Two levels, as memory layouts give: one process in five is slower, besides normal noise.
    Clustered,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 3] = [Shape::Normal, Shape::Heavy, Shape::Clustered];

    /// Its name in figures.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Shape::Normal => "normal noise",
            Shape::Heavy => "heavy tails",
            Shape::Clustered => "clusters",
        }
    }

    /// One value: mean 0, standard deviation 1.
    pub fn draw(self, rng: &mut Rng) -> f64 {
        match self {
            Shape::Normal => rng.normal(),
            Shape::Heavy => rng.heavy(4),
            Shape::Clustered => {
                // Levels 2 apart with shares 0.8 and 0.2 have mean 0.4 and variance 0.64.
                let level = if rng.chance(0.2) { 1.6 } else { -0.4 };
                0.8 * level + (1.0 - 0.64 * 0.64f64).sqrt() * rng.normal()
            }
        }
    }

    /// Log means of `n` processes at `level` with standard deviation `sd`.
    pub fn processes(self, n: usize, level: f64, sd: f64, rng: &mut Rng) -> Vec<f64> {
        (0..n).map(|_| level + sd * self.draw(rng)).collect()
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use stats::sample;

    #[test]
    fn shapes_are_standardized() {
        for shape in Shape::ALL {
            let mut rng = Rng::new(2);
            let values = shape.processes(60_000, 0.0, 1.0, &mut rng);
            assert!(sample::mean(&values).abs() < 0.02, "{shape:?}");
            assert!(
                (sample::sd(&values).unwrap() - 1.0).abs() < 0.05,
                "{shape:?}"
            );
        }
    }
}
