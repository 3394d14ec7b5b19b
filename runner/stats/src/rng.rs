//! A seeded source of random numbers, the same on every machine.
//!
//! Source: xoshiro256++ of Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47 (2021), seeded through
//! splitmix64 as they advise. For simulation and resampling, not for secrets.

/// The generator. Equal seeds give equal sequences.
#[derive(Debug, Clone)]
pub struct Rng {
    state: [u64; 4],
    spare: Option<f64>,
}

impl Rng {
    /// A generator for `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Rng {
        let mut x = seed;
        let state = std::array::from_fn(|_| {
            x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = x;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Rng { state, spare: None }
    }

    /// A generator for one part of a work that has its own `seed`: parts do not share a sequence.
    #[must_use]
    pub fn part(seed: u64, part: u64) -> Rng {
        Rng::new(seed ^ part.wrapping_add(1).wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in 0..n; the bias for small n is below 2^-50.
    ///
    /// # Panics
    /// When `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "a choice among nothing");
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Standard normal, by Marsaglia's polar method.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (u, v) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let factor = (-2.0 * s.ln() / s).sqrt();
                self.spare = Some(v * factor);
                return u * factor;
            }
        }
    }

    /// Student's t with `df` degrees of freedom, scaled to standard deviation 1: heavy tails for simulations.
    ///
    /// # Panics
    /// When `df` is below 3: there is no standard deviation to scale by.
    pub fn heavy(&mut self, df: u32) -> f64 {
        assert!(df >= 3, "no standard deviation below 3 degrees of freedom");
        let chi2: f64 = (0..df).map(|_| self.normal().powi(2)).sum();
        let df = f64::from(df);
        self.normal() / (chi2 / df).sqrt() * ((df - 2.0) / df).sqrt()
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::sample::{mean, sd};

    #[test]
    fn equal_seeds_give_equal_sequences_and_parts_differ() {
        let draw = |mut rng: Rng| (0..8).map(|_| rng.bits()).collect::<Vec<_>>();
        assert_eq!(draw(Rng::new(7)), draw(Rng::new(7)));
        assert_ne!(draw(Rng::part(7, 0)), draw(Rng::part(7, 1)));
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut rng = Rng::new(1);
        let normal: Vec<f64> = (0..40_000).map(|_| rng.normal()).collect();
        let heavy: Vec<f64> = (0..40_000).map(|_| rng.heavy(5)).collect();
        let unit: Vec<f64> = (0..40_000).map(|_| rng.unit()).collect();
        assert!(mean(&normal).abs() < 0.02 && (sd(&normal).unwrap() - 1.0).abs() < 0.02);
        assert!(mean(&heavy).abs() < 0.02 && (sd(&heavy).unwrap() - 1.0).abs() < 0.05);
        assert!((mean(&unit) - 0.5).abs() < 0.01);
        assert!((0..100).all(|_| rng.below(3) < 3));
    }
}
