//! Whether a series looks as if a change had been undone, and since when.
//!
//! ```text
//! level        10  10 │ 12  12  12 │ 10  10.1        before = 10, margin 2 %
//! position      0   1 │  2   3   4 │  5   6          undone since 5
//! ```
//!
//! The points come from different nights, and a machine is not equally fast in all of them. So the answer is a suspicion: it says
//! that a run of both sides, the newest commit beside the one before the change, is worth its time.

/// Which way a change went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
}

/// The first of the newest points that are all back at the level `before` the change; `after` holds the levels from the change on,
/// oldest first. `None` when the newest point is not back, or when none ever showed the change: then nothing was undone.
///
/// A level is back when it is within `margin` of `before` (0.01 is 1 %), or beyond it on the good side.
#[must_use]
pub fn back_since(before: f64, after: &[f64], way: Way, margin: f64) -> Option<usize> {
    let is_back = |level: &f64| match way {
        Way::Up => *level <= before * (1.0 + margin),
        Way::Down => *level >= before / (1.0 + margin),
    };
    let run = after
        .iter()
        .rev()
        .take_while(|level| is_back(level))
        .count();
    let first = after.len() - run;
    (run > 0 && first > 0).then_some(first)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn the_newest_run_of_points_at_the_old_level_counts() {
        let up = |after: &[f64]| back_since(10.0, after, Way::Up, 0.02);
        assert_eq!(up(&[12.0, 12.0, 12.0, 10.0, 10.1]), Some(3));
        assert_eq!(up(&[12.0, 10.0, 12.0, 10.1]), Some(3));
        assert_eq!(up(&[12.0, 9.0]), Some(1));
    }

    #[test]
    fn what_is_still_there_or_never_showed_is_not_undone() {
        let up = |after: &[f64]| back_since(10.0, after, Way::Up, 0.02);
        assert_eq!(up(&[12.0, 10.0, 12.0]), None);
        assert_eq!(up(&[12.0, 10.3]), None);
        assert_eq!(up(&[10.0, 10.0]), None);
        assert_eq!(up(&[]), None);
    }

    #[test]
    fn an_improvement_is_undone_upwards() {
        let down = |after: &[f64]| back_since(10.0, after, Way::Down, 0.02);
        assert_eq!(down(&[8.0, 9.9]), Some(1));
        assert_eq!(down(&[8.0, 9.0]), None);
    }

    #[test]
    fn counts_that_were_zero_come_back_to_zero() {
        assert_eq!(back_since(0.0, &[40.0, 0.0], Way::Up, 0.02), Some(1));
        assert_eq!(back_since(0.0, &[40.0, 1.0], Way::Up, 0.02), None);
    }
}
