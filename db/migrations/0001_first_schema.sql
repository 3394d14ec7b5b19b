-- The first schema. Meaning and unit of every column: db/schema.md.
-- Times ending in _s are Unix seconds (UTC); durations end in _ns, sizes in _bytes.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What is measured -----------------------------------------------------------

CREATE TABLE subject (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL CHECK (kind IN ('repository', 'program')),
    role       TEXT NOT NULL CHECK (role IN ('subject', 'baseline')),
    location   TEXT NOT NULL
) STRICT;

CREATE TABLE "commit" (
    id               INTEGER PRIMARY KEY,
    subject_id       INTEGER NOT NULL REFERENCES subject (id),
    sha              TEXT NOT NULL,
    first_parent_sha TEXT,
    seq              INTEGER NOT NULL,
    author           TEXT NOT NULL,
    author_time_s    INTEGER NOT NULL,
    commit_time_s    INTEGER NOT NULL,
    title            TEXT NOT NULL,
    state_sha256     TEXT NOT NULL,
    UNIQUE (subject_id, sha)
) STRICT;
CREATE INDEX commit_by_order ON "commit" (subject_id, seq);

CREATE TABLE mode (
    id                INTEGER PRIMARY KEY,
    subject_id        INTEGER NOT NULL REFERENCES subject (id),
    name              TEXT NOT NULL,
    args_json         TEXT NOT NULL,
    env_json          TEXT NOT NULL,
    conf              TEXT NOT NULL,
    purpose           TEXT NOT NULL CHECK (purpose IN ('timing', 'stress', 'ablation')),
    definition_sha256 TEXT NOT NULL,
    UNIQUE (subject_id, name, definition_sha256)
) STRICT;

CREATE TABLE machine (
    id          INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    cpu_model   TEXT NOT NULL,
    cores       INTEGER NOT NULL,
    memory_bytes INTEGER NOT NULL,
    kernel      TEXT NOT NULL
) STRICT;

CREATE TABLE env_snapshot (
    id         INTEGER PRIMARY KEY,
    machine_id INTEGER NOT NULL REFERENCES machine (id),
    sha256     TEXT NOT NULL UNIQUE,
    grade      TEXT NOT NULL CHECK (grade IN ('ok', 'warn', 'fail', 'unknown')),
    facts_json TEXT NOT NULL
) STRICT;

CREATE TABLE artifact (
    sha256     TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    content    BLOB,
    path       TEXT,
    created_s  INTEGER NOT NULL,
    CHECK (content IS NOT NULL OR path IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE build (
    id              INTEGER PRIMARY KEY,
    subject_id      INTEGER NOT NULL REFERENCES subject (id),
    commit_id       INTEGER REFERENCES "commit" (id),
    machine_id      INTEGER NOT NULL REFERENCES machine (id),
    key_sha256      TEXT NOT NULL,
    revision        INTEGER NOT NULL DEFAULT 0,
    command         TEXT NOT NULL,
    toolchain       TEXT NOT NULL,
    outcome         TEXT NOT NULL CHECK (outcome IN ('ok', 'fail', 'timeout', 'crash', 'out-of-memory', 'infrastructure')),
    reason          TEXT NOT NULL DEFAULT '',
    program         TEXT NOT NULL DEFAULT '',
    version         TEXT NOT NULL DEFAULT '',
    build_flags     TEXT NOT NULL DEFAULT '',
    binary_sha256   TEXT,
    binary_bytes    INTEGER,
    text_bytes      INTEGER,
    text_sha256     TEXT,
    duration_ns     INTEGER NOT NULL DEFAULT 0,
    log_sha256      TEXT REFERENCES artifact (sha256),
    finished_s      INTEGER NOT NULL,
    UNIQUE (key_sha256, revision)
) STRICT;
CREATE INDEX build_by_commit ON build (commit_id);

CREATE TABLE benchmark (
    id       INTEGER PRIMARY KEY,
    suite    TEXT NOT NULL,
    name     TEXT NOT NULL,
    category TEXT NOT NULL,
    UNIQUE (suite, name)
) STRICT;

CREATE TABLE benchmark_version (
    id              INTEGER PRIMARY KEY,
    benchmark_id    INTEGER NOT NULL REFERENCES benchmark (id),
    source_sha256   TEXT NOT NULL,
    inner           INTEGER NOT NULL,
    expected_result TEXT NOT NULL,
    limit_ns        INTEGER NOT NULL,
    params_json     TEXT NOT NULL DEFAULT '{}',
    first_seen_s    INTEGER NOT NULL,
    UNIQUE (benchmark_id, source_sha256, inner, params_json)
) STRICT;

CREATE TABLE metric (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    unit   TEXT NOT NULL,
    better TEXT NOT NULL CHECK (better IN ('lower', 'higher', 'none')),
    noisy  INTEGER NOT NULL CHECK (noisy IN (0, 1)),
    scope  TEXT NOT NULL CHECK (scope IN ('iteration', 'process', 'build')),
    title  TEXT NOT NULL
) STRICT;

INSERT INTO metric (name, unit, better, noisy, scope, title) VALUES
    ('wall',          'ns',    'lower', 1, 'iteration', 'wall time of one iteration'),
    ('cpu',           'ns',    'lower', 1, 'iteration', 'CPU time of one iteration'),
    ('first',         'ns',    'lower', 1, 'process',   'wall time of the first iteration of a fresh process'),
    ('process_wall',  'ns',    'lower', 1, 'process',   'wall time of the whole process'),
    ('process_cpu',   'ns',    'lower', 1, 'process',   'user and system CPU time of the whole process'),
    ('peak_rss',      'bytes', 'lower', 1, 'process',   'largest resident set of the process'),
    ('to_steady',     'ns',    'lower', 1, 'process',   'wall time of the iterations before the steady state'),
    ('instructions',  'count', 'lower', 0, 'process',   'instructions executed, counted under valgrind or by hardware'),
    ('binary_size',   'bytes', 'lower', 0, 'build',     'size of the program file'),
    ('build_time',    'ns',    'lower', 1, 'build',     'wall time of the build command');

-- Wishes and work ------------------------------------------------------------

CREATE TABLE worker (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    token_sha256 TEXT,
    heartbeat_s  INTEGER
) STRICT;

CREATE TABLE request (
    id                INTEGER PRIMARY KEY,
    subject_id        INTEGER NOT NULL REFERENCES subject (id),
    commit_id         INTEGER REFERENCES "commit" (id),
    reason            TEXT NOT NULL CHECK (reason IN ('nightly', 'backfill', 'bisect', 'try', 'manual', 'confirm')),
    priority          INTEGER NOT NULL DEFAULT 0,
    parent_request_id INTEGER REFERENCES request (id),
    state             TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'cancelled')),
    created_s         INTEGER NOT NULL,
    finished_s        INTEGER
) STRICT;

CREATE TABLE run (
    id               INTEGER PRIMARY KEY,
    key              TEXT NOT NULL UNIQUE,
    reason           TEXT NOT NULL,
    tier             TEXT NOT NULL,
    machine_id       INTEGER NOT NULL REFERENCES machine (id),
    env_snapshot_id  INTEGER NOT NULL REFERENCES env_snapshot (id),
    head_commit_id   INTEGER REFERENCES "commit" (id),
    platform_version TEXT NOT NULL,
    plan_sha256      TEXT NOT NULL,
    plan_json        TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('running', 'complete', 'deadline', 'interrupted', 'abandoned', 'failed')),
    started_s        INTEGER NOT NULL,
    finished_s       INTEGER,
    exit_code        INTEGER,
    summary_json     TEXT
) STRICT;
CREATE INDEX run_by_time ON run (started_s);

CREATE TABLE job (
    id                   INTEGER PRIMARY KEY,
    run_id               INTEGER NOT NULL REFERENCES run (id),
    request_id           INTEGER REFERENCES request (id),
    key                  TEXT NOT NULL,
    kind                 TEXT NOT NULL CHECK (kind IN ('build', 'bench', 'count', 'tests')),
    ordinal              INTEGER NOT NULL,
    subject_id           INTEGER NOT NULL REFERENCES subject (id),
    commit_id            INTEGER REFERENCES "commit" (id),
    build_id             INTEGER REFERENCES build (id),
    mode_id              INTEGER REFERENCES mode (id),
    benchmark_version_id INTEGER REFERENCES benchmark_version (id),
    test_module          TEXT,
    planned_processes    INTEGER NOT NULL DEFAULT 0,
    planned_iterations   INTEGER NOT NULL DEFAULT 0,
    state                TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done')),
    outcome              TEXT CHECK (outcome IN ('ok', 'fail', 'timeout', 'crash', 'wrong-output', 'out-of-memory', 'unsupported', 'not-loaded', 'not-run', 'infrastructure')),
    reason               TEXT NOT NULL DEFAULT '',
    attempts             INTEGER NOT NULL DEFAULT 0 CHECK (attempts <= 3),
    worker_id            INTEGER REFERENCES worker (id),
    lease_until_s        INTEGER,
    duration_ns          INTEGER NOT NULL DEFAULT 0,
    UNIQUE (run_id, key)
) STRICT;
CREATE INDEX job_by_build ON job (build_id, mode_id, benchmark_version_id);
CREATE INDEX job_by_commit ON job (commit_id, kind);
CREATE INDEX job_by_benchmark ON job (benchmark_version_id, mode_id);

-- What came out --------------------------------------------------------------

CREATE TABLE process (
    id             INTEGER PRIMARY KEY,
    job_id         INTEGER NOT NULL REFERENCES job (id),
    idx            INTEGER NOT NULL,
    revision       INTEGER NOT NULL DEFAULT 0,
    position       INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('running', 'done')),
    outcome        TEXT CHECK (outcome IN ('ok', 'fail', 'timeout', 'crash', 'wrong-output', 'out-of-memory', 'unsupported')),
    reason         TEXT NOT NULL DEFAULT '',
    exit_code      INTEGER,
    signal         TEXT,
    started_s      INTEGER NOT NULL,
    wall_ns        INTEGER,
    user_ns        INTEGER,
    system_ns      INTEGER,
    peak_rss_bytes INTEGER,
    minor_faults   INTEGER,
    major_faults   INTEGER,
    voluntary_switches   INTEGER,
    involuntary_switches INTEGER,
    cpu            INTEGER,
    hash_seed      TEXT,
    result         TEXT,
    output_sha256  TEXT REFERENCES artifact (sha256),
    warmup_class   TEXT CHECK (warmup_class IN ('flat', 'warm-up', 'slowdown', 'no-steady-state')),
    steady_from    INTEGER,
    content_sha256 TEXT,
    UNIQUE (job_id, idx, revision)
) STRICT;
CREATE INDEX process_by_content ON process (content_sha256);

CREATE TABLE sample (
    process_id INTEGER NOT NULL REFERENCES process (id) ON DELETE CASCADE,
    metric_id  INTEGER NOT NULL REFERENCES metric (id),
    n          INTEGER NOT NULL,
    data       BLOB NOT NULL,
    PRIMARY KEY (process_id, metric_id),
    CHECK (length(data) = 8 * n)
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
    process_id INTEGER NOT NULL REFERENCES process (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    value      REAL NOT NULL,
    PRIMARY KEY (process_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE trace (
    process_id  INTEGER NOT NULL REFERENCES process (id) ON DELETE CASCADE,
    trace_no    INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('loop', 'function', 'bridge')),
    location    TEXT NOT NULL,
    code_sha256 TEXT,
    ops_in      INTEGER NOT NULL,
    ops_out     INTEGER NOT NULL,
    guards      INTEGER NOT NULL,
    guard_fails INTEGER NOT NULL,
    code_bytes  INTEGER NOT NULL,
    PRIMARY KEY (process_id, trace_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE test_case (
    id     INTEGER PRIMARY KEY,
    module TEXT NOT NULL,
    name   TEXT NOT NULL,
    UNIQUE (module, name)
) STRICT;

CREATE TABLE test_result (
    job_id         INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    test_case_id   INTEGER NOT NULL REFERENCES test_case (id),
    attempt        INTEGER NOT NULL DEFAULT 0,
    outcome        TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'error', 'skip', 'xfail', 'xpass', 'timeout', 'crash')),
    duration_ns    INTEGER NOT NULL,
    message_sha256 TEXT REFERENCES artifact (sha256),
    PRIMARY KEY (job_id, test_case_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX test_result_by_case ON test_result (test_case_id, job_id);

CREATE TABLE expectation (
    test_case_id    INTEGER NOT NULL REFERENCES test_case (id),
    mode_id         INTEGER NOT NULL REFERENCES mode (id),
    since_commit_id INTEGER REFERENCES "commit" (id),
    outcome         TEXT NOT NULL,
    reason          TEXT NOT NULL,
    PRIMARY KEY (test_case_id, mode_id)
) STRICT, WITHOUT ROWID;

-- What it means --------------------------------------------------------------

CREATE TABLE series (
    id                   INTEGER PRIMARY KEY,
    subject_id           INTEGER NOT NULL REFERENCES subject (id),
    benchmark_version_id INTEGER NOT NULL REFERENCES benchmark_version (id),
    mode_id              INTEGER NOT NULL REFERENCES mode (id),
    machine_id           INTEGER NOT NULL REFERENCES machine (id),
    metric_id            INTEGER NOT NULL REFERENCES metric (id),
    UNIQUE (subject_id, benchmark_version_id, mode_id, machine_id, metric_id)
) STRICT;

CREATE TABLE point (
    series_id   INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    run_id      INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    build_id    INTEGER NOT NULL REFERENCES build (id),
    job_id      INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    commit_id   INTEGER REFERENCES "commit" (id),
    n_processes INTEGER NOT NULL,
    geomean     REAL NOT NULL,
    mean        REAL NOT NULL,
    median      REAL NOT NULL,
    min         REAL NOT NULL,
    low         REAL,
    high        REAL,
    sd_between  REAL,
    sd_within   REAL,
    PRIMARY KEY (series_id, run_id, build_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX point_by_commit ON point (commit_id);
CREATE INDEX point_by_run ON point (run_id);

CREATE TABLE change_point (
    id             INTEGER PRIMARY KEY,
    series_id      INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    commit_id      INTEGER NOT NULL REFERENCES "commit" (id),
    prev_commit_id INTEGER REFERENCES "commit" (id),
    algorithm      TEXT NOT NULL,
    params_json    TEXT NOT NULL,
    p              REAL NOT NULL,
    ratio          REAL NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('provisional', 'established', 'confirmed', 'noise')),
    UNIQUE (series_id, commit_id, algorithm)
) STRICT;

CREATE TABLE alert (
    id              INTEGER PRIMARY KEY,
    state           TEXT NOT NULL CHECK (state IN ('new', 'provisional', 'confirmed', 'noise', 'infrastructure', 'fixed', 'wontfix')),
    kind            TEXT NOT NULL CHECK (kind IN ('performance', 'tests', 'outcome')),
    direction       TEXT NOT NULL CHECK (direction IN ('worse', 'better')),
    title           TEXT NOT NULL,
    run_id          INTEGER REFERENCES run (id),
    low_commit_id   INTEGER REFERENCES "commit" (id),
    high_commit_id  INTEGER REFERENCES "commit" (id),
    moved           TEXT CHECK (moved IN ('interpreter', 'tracer-backend', 'optimizer')),
    counter         TEXT,
    counter_ratio   REAL,
    note            TEXT NOT NULL DEFAULT '',
    history_json    TEXT NOT NULL DEFAULT '[]',
    created_s       INTEGER NOT NULL,
    updated_s       INTEGER NOT NULL
) STRICT;

CREATE TABLE alert_change (
    alert_id        INTEGER NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    change_point_id INTEGER NOT NULL REFERENCES change_point (id) ON DELETE CASCADE,
    PRIMARY KEY (alert_id, change_point_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE bisect (
    id                INTEGER PRIMARY KEY,
    kind              TEXT NOT NULL CHECK (kind IN ('perf', 'test', 'wrong', 'build')),
    target            TEXT NOT NULL,
    subject_id        INTEGER NOT NULL REFERENCES subject (id),
    mode_id           INTEGER REFERENCES mode (id),
    good_commit_id    INTEGER REFERENCES "commit" (id),
    bad_commit_id     INTEGER REFERENCES "commit" (id),
    params_json       TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('running', 'found', 'no-difference', 'cannot-tell', 'interrupted')),
    culprit_commit_id INTEGER REFERENCES "commit" (id),
    culprit_pass      TEXT,
    culprit_trace     INTEGER,
    posterior         REAL,
    created_s         INTEGER NOT NULL,
    finished_s        INTEGER
) STRICT;

CREATE TABLE bisect_step (
    bisect_id      INTEGER NOT NULL REFERENCES bisect (id) ON DELETE CASCADE,
    n              INTEGER NOT NULL,
    commit_id      INTEGER REFERENCES "commit" (id),
    job_id         INTEGER REFERENCES job (id),
    verdict        TEXT NOT NULL CHECK (verdict IN ('good', 'bad', 'skip', 'unsure')),
    samples_json   TEXT NOT NULL,
    posterior_json TEXT NOT NULL,
    PRIMARY KEY (bisect_id, n)
) STRICT, WITHOUT ROWID;

-- Housekeeping ---------------------------------------------------------------

CREATE TABLE retention (
    kind      TEXT PRIMARY KEY,
    keep_days INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO retention (kind, keep_days) VALUES
    ('point', NULL), ('sample', NULL), ('counter', 730), ('trace', 90),
    ('test_result', 365), ('log', 180), ('output', 90), ('audit', NULL);

CREATE TABLE audit (
    id       INTEGER PRIMARY KEY,
    time_s   INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    facts_json TEXT NOT NULL
) STRICT;
