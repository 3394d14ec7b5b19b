//! The row of positions, what is known about each, and where to look next.

/// Positions from good to bad.
#[derive(Debug, Clone)]
pub struct Line {
    /// Trying it costs no build.
    cached: Vec<bool>,
    /// It cannot be tried: does not build, or fails for another reason.
    broken: Vec<bool>,
    tried: Vec<bool>,
}

/// How good, compared with the best split, a position must be to be preferred for its cached build.
const CLOSE: f64 = 0.8;

impl Line {
    /// A line of `positions`, of which the first is good and the last is bad.
    ///
    /// # Panics
    /// Under two positions.
    #[must_use]
    pub fn new(positions: usize) -> Line {
        assert!(positions >= 2, "a line has two ends");
        Line {
            cached: vec![false; positions],
            broken: vec![false; positions],
            tried: vec![false; positions],
        }
    }

    /// Notes that trying `position` costs no build.
    pub fn set_cached(&mut self, position: usize) {
        self.cached[position] = true;
    }

    pub(crate) fn set_tried(&mut self, position: usize) {
        self.tried[position] = true;
        self.cached[position] = true;
    }

    pub(crate) fn set_broken(&mut self, position: usize) {
        self.broken[position] = true;
    }

    pub(crate) fn is_broken(&self, position: usize) -> bool {
        self.broken[position]
    }

    pub(crate) fn last(&self) -> usize {
        self.broken.len() - 1
    }

    pub(crate) fn builds(&self) -> usize {
        self.tried.iter().filter(|tried| **tried).count()
    }

    /// Ranges that can be told apart: each ends at a position that can be tried and begins after the one before.
    pub(crate) fn ranges(&self) -> Vec<(usize, usize)> {
        let mut ranges = Vec::new();
        let mut first = 1;
        for position in 1..=self.last() {
            if !self.broken[position] {
                ranges.push((first, position));
                first = position + 1;
            }
        }
        ranges
    }

    /// Position before `first` that can be tried.
    pub(crate) fn before(&self, first: usize) -> usize {
        (0..first)
            .rev()
            .find(|position| !self.broken[*position])
            .unwrap_or(0)
    }

    /// The inner position that splits the posterior most evenly; one that costs no build is preferred when it is nearly as good. `None`
    /// when no inner position is left.
    pub(crate) fn split(&self, posterior: &[((usize, usize), f64)]) -> Option<usize> {
        let mut below = 0.0;
        let mut options = Vec::new();
        for ((_, last), probability) in posterior {
            below += probability;
            if *last < self.last() {
                // The weight that would go if the answer were against the odds.
                options.push((*last, below.min(1.0 - below)));
            }
        }
        let best = options
            .iter()
            .map(|(_, weight)| *weight)
            .fold(0.0, f64::max);
        let heaviest = |cached: bool| {
            options
                .iter()
                .filter(|(position, weight)| {
                    *weight >= CLOSE * best && (self.cached[*position] || !cached)
                })
                .reduce(|a, b| if b.1 > a.1 { b } else { a })
                .map(|(position, _)| *position)
        };
        heaviest(true).or_else(|| heaviest(false))
    }
}

/// Probabilities from weights given as logs.
pub(crate) fn normalize(logs: &[f64]) -> Vec<f64> {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logs.iter().map(|log| (log - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// The most probable range with its probability.
pub(crate) fn most_probable(posterior: &[((usize, usize), f64)]) -> ((usize, usize), f64) {
    posterior
        .iter()
        .copied()
        .reduce(|a, b| if b.1 > a.1 { b } else { a })
        .unwrap_or(((0, 0), 0.0))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn broken_positions_merge_into_the_next_that_can_be_tried() {
        let mut line = Line::new(6);
        line.set_broken(2);
        line.set_broken(3);
        assert_eq!(line.ranges(), [(1, 1), (2, 4), (5, 5)]);
        assert_eq!(line.before(4), 1);
    }

    #[test]
    fn a_cached_build_is_preferred_when_it_is_nearly_as_good() {
        let mut line = Line::new(101);
        let posterior: Vec<_> = (1..=100).map(|p| ((p, p), 0.01)).collect();
        assert_eq!(line.split(&posterior), Some(50));
        line.set_cached(55);
        assert_eq!(line.split(&posterior), Some(55));
        line.set_cached(80);
        assert_eq!(line.split(&posterior), Some(55));
    }

    #[test]
    fn a_cached_build_that_would_tell_nothing_is_not_preferred() {
        let mut line = Line::new(11);
        line.set_cached(9);
        let posterior: Vec<_> = (1..=10)
            .map(|p| ((p, p), if p == 4 { 0.91 } else { 0.01 }))
            .collect();
        assert_eq!(line.split(&posterior), Some(4));
    }

    #[test]
    fn two_neighbours_have_nothing_between() {
        assert_eq!(Line::new(2).split(&[((1, 1), 1.0)]), None);
    }
}
