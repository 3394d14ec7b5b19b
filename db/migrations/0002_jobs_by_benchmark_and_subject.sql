-- Pages list the benchmarks that their subject was measured on, on one machine (the machine is the run's).

CREATE INDEX job_by_benchmark_and_subject ON job (benchmark_version_id, subject_id, run_id);
