//! The order of the benchmark processes.
//!
//! A machine drifts: it warms up, a neighbour wakes. Whatever is compared must therefore be measured close together in time. So a round goes
//! over all sides of a benchmark (revisions, modes, baselines), forth in even rounds and back in odd ones: `A B C, C B A, A B C, ...`. A
//! linear drift then adds the same to each side.
//!
//! A night may be cut short by its budget. [`SURVEY`] rounds go over all benchmarks first, so that everything has a number; then each benchmark in the
//! order of the plan has all its other rounds at once, so that what time is left goes into sides with enough processes for a verdict, instead
//! of into one process more for everything and a verdict on nothing.

use crate::plan::BenchJob;

/// Rounds over all benchmarks before any of them has more.
pub const SURVEY: u32 = 2;

/// One process of the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Index into the plan's benchmark jobs.
    pub job: usize,
    /// 0-based number of the process within its job.
    pub process: u32,
    /// Place in the whole sequence.
    pub position: u32,
}

/// The whole sequence; the same for the same plan.
#[must_use]
pub fn schedule(jobs: &[BenchJob]) -> Vec<Step> {
    let mut benchmarks: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, job) in jobs.iter().enumerate() {
        match benchmarks
            .iter_mut()
            .find(|(name, _)| *name == job.benchmark)
        {
            Some((_, sides)) => sides.push(index),
            None => benchmarks.push((&job.benchmark, vec![index])),
        }
    }
    let rounds = jobs.iter().map(|job| job.processes).max().unwrap_or(0);
    let mut steps = Vec::new();
    let mut add = |sides: &[usize], round: u32| {
        let mut order = sides.to_vec();
        if round % 2 == 1 {
            order.reverse();
        }
        for job in order {
            if round < jobs[job].processes {
                steps.push(Step {
                    job,
                    process: round,
                    position: steps.len() as u32,
                });
            }
        }
    };
    for round in 0..rounds.min(SURVEY) {
        for (_, sides) in &benchmarks {
            add(sides, round);
        }
    }
    for (_, sides) in &benchmarks {
        for round in SURVEY..rounds {
            add(sides, round);
        }
    }
    steps
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::plan::BuildJob;

    fn jobs(sides: &[(&str, &str, u32)]) -> Vec<BenchJob> {
        let build = BuildJob::new("vm", None);
        sides
            .iter()
            .map(|(mode, bench, n)| BenchJob::new(&build, mode, bench, *n, 10))
            .collect()
    }

    fn names(jobs: &[BenchJob]) -> String {
        schedule(jobs)
            .iter()
            .map(|s| format!("{}{}", jobs[s.job].mode, jobs[s.job].benchmark))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn sides_go_forth_and_back() {
        let jobs = jobs(&[("a", "1", 2), ("b", "1", 2), ("a", "2", 2), ("b", "2", 2)]);
        assert_eq!(names(&jobs), "a1 b1 a2 b2 b1 a1 b2 a2");
    }

    #[test]
    fn after_two_rounds_over_all_each_benchmark_is_finished_in_turn() {
        let jobs = jobs(&[("a", "1", 4), ("b", "1", 4), ("a", "2", 4), ("b", "2", 4)]);
        let expected = "a1 b1 a2 b2 b1 a1 b2 a2 a1 b1 b1 a1 a2 b2 b2 a2";
        assert_eq!(names(&jobs), expected);
    }

    #[test]
    fn a_linear_drift_is_the_same_for_every_side_after_an_even_number_of_rounds() {
        let jobs = jobs(&[("a", "1", 4), ("b", "1", 4), ("c", "1", 4)]);
        let mut sums = [0; 3];
        for step in schedule(&jobs) {
            sums[step.job] += step.position;
        }
        assert_eq!(sums[0], sums[1]);
        assert_eq!(sums[1], sums[2]);
    }

    #[test]
    fn a_job_with_fewer_processes_drops_out_of_later_rounds() {
        assert_eq!(names(&jobs(&[("a", "1", 1), ("b", "1", 3)])), "a1 b1 b1 b1");
    }
}
